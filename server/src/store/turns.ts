// Lists take turns by who asks: pages by a filter that finds nothing look at all that a project has, and whoever asks for many of them
// at once makes only himself wait. Asked for straight away, 300 a second kept everybody's from being answered for minutes (measured).
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'

type Waiting = () => Promise<void>

/** Who asks for a read; one that goes on with what has begun is never refused. */
type Turn = { asker: string | null; goes_on?: boolean }

/** Runs reads, so many at once, one of each asker in turn. Throws `overloaded` where an asker that is not null has too many waiting. */
export function createTurns({
  at_once,
  most_waiting,
}: {
  at_once: number
  most_waiting: number
}): <T>(turn: Turn, read: () => Promise<T>) => Promise<T> {
  // Whose turn is next comes first.
  const queues = new Map<string | null, Waiting[]>()
  let running = 0

  function next(): void {
    while (running < at_once) {
      const [first] = queues
      if (first === undefined) return
      const [asker, queue] = first
      const run = queue.shift()
      queues.delete(asker)
      if (queue.length > 0) queues.set(asker, queue)
      running++
      void run?.().finally(() => {
        running--
        next()
      })
    }
  }

  return ({ asker, goes_on = false }, read) => {
    const queue = queues.get(asker) ?? []
    if (asker !== null && !goes_on && queue.length >= most_waiting)
      return Promise.reject(
        new AppError('overloaded', 'Too many lists are waiting to be read for you; ask for fewer at a time'),
      )
    return new Promise((resolve, reject) => {
      queue.push(async () => read().then(resolve, reject))
      queues.set(asker, queue)
      next()
    })
  }
}

type Asked = {
  scope?: Scope
  filter?: { project_id?: string }
  project_id?: string
  task_id?: string
  page?: { goes_on?: boolean }
}

/** Whose turn a list takes: that of the project, or of the task, that it is of; null for the server's own and its administrator's. */
export function turnOf(args: unknown): Turn {
  const { scope, filter, project_id, task_id, page } = (args ?? {}) as Asked
  const asker = scope?.project_id ?? project_id ?? filter?.project_id ?? task_id ?? null
  return { asker, goes_on: page?.goes_on ?? false }
}
