// Stores for tests on real databases, and the rows that most of them begin with.
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createIds } from '../../src/domain/id.ts'
import { defaultSettings, type Project, type ProjectSettings } from '../../src/domain/project.ts'
import type { Task } from '../../src/domain/task.ts'
import { createCipher } from '../../src/store/cipher.ts'
import type { Driver } from '../../src/store/driver.ts'
import { createStore } from '../../src/store/open.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import type { Destination, NewDelivery, Store } from '../../src/store/store.ts'

export const newId = createIds(Date.now, (bytes) => void randomFillSync(bytes))

/** A store over a driver, with a clock of the test's and a fixed key. */
export const storeOn = (driver: Driver, now: () => number = Date.now, owner = 'test:1'): Store =>
  createStore({ driver, cipher: createCipher(new Uint8Array(32).fill(7)), now, owner })

/** A SQLite store in a folder of its own; closing it removes the folder. */
export async function openTestStore({ now }: { now?: () => number } = {}): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-store-'))
  const store = storeOn(await openSqliteDriver(join(folder, 'ringback.db')), now)
  return {
    ...store,
    async close() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function newProject(settings: Partial<ProjectSettings> = {}): Project {
  return {
    id: newId(),
    name: 'test',
    dialect: 'native',
    host: null,
    settings: { ...defaultSettings, ...settings },
    created_at: 1,
    updated_at: 1,
  }
}

export const destinationOf = (project: Project): Destination => ({
  id: `destination-${project.id}`,
  project_id: project.id,
  mode: 'live',
  kind: 'callback',
  key: 'http://127.0.0.1:1',
})

/** A waiting task of a project, with a destination. */
export function newTask(project: Project, changes: Partial<Task> = {}): Task {
  const id = newId()
  return {
    id,
    project_id: project.id,
    mode: 'live',
    external_id: null,
    type: 'task',
    status: 'waiting',
    resume_status: null,
    audit_status: null,
    params: '{}',
    response: null,
    error: null,
    metadata: '{}',
    unique_id: null,
    ext: null,
    call_plan: null,
    call_report: null,
    callback_url: 'http://127.0.0.1:1/hook',
    destination_id: destinationOf(project).id,
    callback_succeeded: null,
    callback_succeeded_at: null,
    callback_hash: `hash-${id}`,
    callback_used: 0,
    event_count: 0,
    last_told: null,
    created_at: 1,
    updated_at: 1,
    completed_at: null,
    expires_at: null,
    version: 1,
    ...changes,
  }
}

/** The delivery of an event of a task. */
export const deliveryOf = (
  task: Task,
  event_id: string,
  changes: Partial<NewDelivery> = {},
): NewDelivery => ({
  id: newId(),
  project_id: task.project_id,
  mode: task.mode,
  task_id: task.id,
  event_id,
  event_type: 'task.completed',
  sequence: task.event_count,
  destination_id: task.destination_id ?? '',
  url: task.callback_url ?? '',
  resend: 0,
  ordered: 1,
  created_at: task.updated_at,
  lease_ms: 10_000,
  ...changes,
})
