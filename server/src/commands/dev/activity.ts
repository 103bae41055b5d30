// What the page of `dev` shows: the last tasks of both modes, with their deliveries and attempts. Bounded, whatever there is.
import type { Attempt, Delivery } from '../../domain/delivery.ts'
import { modes, type Scope } from '../../domain/project.ts'
import type { Task } from '../../domain/task.ts'
import type { Store } from '../../store/store.ts'

/** A task and its last deliveries, the oldest first; `more` says that there are older ones. */
export type Story = { task: Task; deliveries: Told[]; more: boolean }
/** A delivery and its last attempts, in order. */
export type Told = { delivery: Delivery; attempts: Attempt[] }

type Reads = Pick<Store, 'listTasks' | 'listDeliveries' | 'findDelivery'>

const TASKS = 20
const DELIVERIES = 5
const ATTEMPTS = 8

/** Reads the last tasks of a project, the newest first. */
export async function readActivity(store: Reads, project_id: string): Promise<Story[]> {
  const pages = await Promise.all(
    modes.map((mode) => store.listTasks({ project_id, mode }, {}, { limit: TASKS, after: null })),
  )
  // Ids sort by the time they were made.
  const tasks = pages.flatMap(({ rows }) => rows).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  return Promise.all(tasks.slice(0, TASKS).map((task) => readStory(store, task)))
}

async function readStory(store: Reads, task: Task): Promise<Story> {
  const scope = { project_id: task.project_id, mode: task.mode }
  const page = await store.listDeliveries(scope, { task_id: task.id }, { limit: DELIVERIES, after: null })
  const found = await Promise.all(page.rows.toReversed().map(({ id }) => readDelivery(store, scope, id)))
  return { task, deliveries: found.flat(), more: page.has_more }
}

async function readDelivery(store: Reads, scope: Scope, id: string): Promise<Told[]> {
  const found = await store.findDelivery(scope, id)
  return found === undefined ? [] : [{ delivery: found.delivery, attempts: found.attempts.slice(-ATTEMPTS) }]
}
