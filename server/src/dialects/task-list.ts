// Lists of tasks in answers of the platforms. Theirs have no bound in bytes, and a page may be a thousand tasks of a megabyte each: it is
// read a MiB at a time, and what is long is sent while it is read.
import { Readable } from 'node:stream'
import { print, type Printable } from '../domain/json.ts'
import type { Page } from '../domain/page.ts'
import type { Scope } from '../domain/project.ts'
import type { Task } from '../domain/task.ts'
import type { Store, TaskFilter } from '../store/store.ts'

// So many are read at a time, or fewer where they are large.
const CHUNK = 100
// In characters.
const LONG = 1024 * 1024

/** Which of the tasks that match: `limit` of them (all unless told), from an offset behind `after`. */
export type Range = {
  order: 'newest' | 'oldest'
  limit?: number
  offset?: number
  after?: string | null
}

/** The tasks that match, a chunk at a time; `has_more` of the last says whether more match than were asked for. */
export async function* chunksOf(
  store: Pick<Store, 'findTasks'>,
  scope: Scope,
  { filter, range }: { filter: TaskFilter; range: Range },
): AsyncGenerator<Page<Task>> {
  const { order, limit = Infinity } = range
  let { offset = 0, after = null } = range
  let left = limit
  for (let goes_on = false; ; goes_on = true) {
    const wanted = { limit: Math.min(left, CHUNK), offset, order, after, goes_on }
    const page = await store.findTasks(scope, filter, wanted)
    yield page
    left -= page.rows.length
    if (left === 0 || !page.has_more) return
    offset = 0
    after = page.rows.at(-1)?.id ?? after
  }
}

/** What was shown of a list, once it is at its end. */
export type Shown = { count: number; last_id: string | null; has_more: boolean }

/** The JSON around a list's elements. */
export type Frame = {
  before: string
  present: (task: Task) => Printable
  behind: (shown: Shown) => string
}

/** An answer with a list, as text, or where that is long as a stream. What fails before it is long rejects. */
export async function listAnswer(
  chunks: AsyncIterable<Page<Task>>,
  frame: Frame,
): Promise<string | Readable> {
  const parts = partsOf(chunks, frame)
  let text = ''
  for (let next = await parts.next(); !next.done; next = await parts.next()) {
    text += next.value
    if (text.length > LONG) return Readable.from(followed(text, parts))
  }
  return text
}

async function* partsOf(
  chunks: AsyncIterable<Page<Task>>,
  { before, present, behind }: Frame,
): AsyncGenerator<string> {
  const shown: Shown = { count: 0, last_id: null, has_more: false }
  yield before
  for await (const { rows, has_more } of chunks) {
    const elements = rows.map((task) => print(present(task))).join(',')
    yield shown.count > 0 && rows.length > 0 ? `,${elements}` : elements
    shown.count += rows.length
    shown.last_id = rows.at(-1)?.id ?? shown.last_id
    shown.has_more = has_more
  }
  yield behind(shown)
}

async function* followed(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first
  yield* rest
}

/** The members of an object behind its list. */
export const membersBehind = (members: { readonly [name: string]: Printable }): string =>
  `],${print(members).slice(1)}`
