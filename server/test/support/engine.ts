// A whole engine for tests: a real store in a file, the native dialect, real sockets.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Registry } from 'prom-client'
import { createProjectWithCredentials } from '../../src/dialects/credentials.ts'
import { createVerbs } from '../../src/dialects/apply.ts'
import { createCallWiring } from '../../src/dialects/call-wiring.ts'
import { destinationId } from '../../src/dialects/destination-id.ts'
import { createDirectory } from '../../src/dialects/directory.ts'
import { createDialects } from '../../src/dialects/index.ts'
import { createRender } from '../../src/dialects/render.ts'
import type { Delivery } from '../../src/domain/delivery.ts'
import { parseTarget } from '../../src/domain/destination.ts'
import { createIds } from '../../src/domain/id.ts'
import type { Project, ProjectSettings } from '../../src/domain/project.ts'
import type { Task, TaskVerb, VerbInput } from '../../src/domain/task.ts'
import { createCallSender } from '../../src/engine/call-sender.ts'
import { createClock, type Clock } from '../../src/engine/clock.ts'
import { createEngine } from '../../src/engine/engine.ts'
import { createFetcher } from '../../src/engine/fetcher.ts'
import { createHttpSender } from '../../src/engine/http-sender.ts'
import { noMailSender } from '../../src/engine/mail-sender.ts'
import type { TellOperator } from '../../src/engine/pause-reporter.ts'
import type { WorkOf } from '../../src/engine/record-worker.ts'
import type { Attempted } from '../../src/engine/report.ts'
import { createSenders, type Sender } from '../../src/engine/senders.ts'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import type { Destination, Store } from '../../src/store/store.ts'
import { openTestDriver } from './database.ts'
import { createTestLog } from './log.ts'
import { startSender } from './sender.ts'
import { newTask } from './store.ts'

/** So much of an answer to a call is read. */
export const ANSWER_BYTES = 1024 * 1024

const dialects = createDialects({ version: '0.0.0' })

export type World = Awaited<ReturnType<typeof startWorld>>

/**
 * Opens a store in a folder of its own, with one project. Opening it again with the same `folder` is another boot. Time is
 * the real one unless a test gives a clock of its own.
 */
export async function startWorld(
  t: TestContext,
  {
    clock = createClock(Date.now),
    folder,
    settings = {},
  }: { clock?: Clock; folder?: string; settings?: Partial<ProjectSettings> } = {},
) {
  const home = folder ?? (await mkdtemp(join(tmpdir(), 'ringback-engine-')))
  const newId = createIds(clock.now, (bytes) => bytes.set(randomBytes(bytes.length)))
  const store = createStore({
    driver: await openTestDriver(home),
    cipher: createCipher(Buffer.alloc(32, 7)),
    now: clock.now,
    owner: newId(),
  })
  atEnd(t, async () => {
    await store.close()
    if (folder === undefined) await rm(home, { recursive: true, force: true })
  })
  const directory = createDirectory(store)
  const verbs = createVerbs({ store, dialects, directory, newId, randomBytes })
  const project = await firstProject(store, settings, { now: clock.now, newId })

  /** A task as it is written, with the destination of its callback URL. */
  function draftTask(changes: Partial<Task>): { task: Task; destination: Destination | null } {
    const { callback_url = null } = changes
    const scope = { project_id: project.id, mode: 'live' as const }
    const key = callback_url === null ? null : parseTarget(callback_url).key
    const destination =
      key === null ? null : { id: destinationId(scope, key), ...scope, kind: 'callback' as const, key }
    const now = clock.now()
    const task = newTask(project, {
      id: newId(),
      callback_hash: null,
      created_at: now,
      updated_at: now,
      ...changes,
      callback_url,
      destination_id: destination?.id ?? null,
    })
    return { task, destination }
  }

  /** Creates a task whose events go to `url`. */
  async function createTask(url: string, changes: Partial<Task> = {}): Promise<Task> {
    const draft = draftTask({ ...changes, callback_url: url })
    await store.createTask({ ...draft, idempotency: null })
    return draft.task
  }

  return {
    clock,
    folder: home,
    store,
    project,
    draftTask,
    createTask,
    expire: (task: Task) => verbs.tryApply(task, 'expire', {}),
    calls: createCallWiring({
      store,
      dialects,
      verbs,
      public_url: 'http://ringback.test',
      version: '0.0.0',
      answer_bytes: ANSWER_BYTES,
    }),
    apply: (task: Task, verb: TaskVerb, input: VerbInput = {}) => verbs.apply(task, verb, input),
    /** Creates a task and completes it: one event on its way to `url`. */
    async completeTask(url: string): Promise<Task> {
      return verbs.apply(await createTask(url), 'complete', { response: '{}' })
    },
    /** Sends a delivery's event again. */
    async resend({ task_id, event_id, event_type, sequence, destination_id, url }: Delivery): Promise<void> {
      const row = { task_id, event_id, event_type, sequence, destination_id, url, project_id: project.id }
      const delivery = {
        ...row,
        id: newId(),
        mode: 'live' as const,
        resend: 1 as const,
        ordered: 0 as const,
        created_at: clock.now(),
        lease_ms: 40_000,
      }
      await store.resend({ delivery, unsettled_id: null, idempotency: null })
    },
    async deliveries(task_id?: string) {
      const filter = task_id === undefined ? {} : { task_id }
      return (
        await store.listDeliveries({ project_id: project.id, mode: 'live' }, filter, {
          limit: 100,
          after: null,
        })
      ).rows
    },
  }
}

const endings = new WeakMap<TestContext, (() => Promise<void>)[]>()

/** Like `t.after`, but last in, first out: the engine stops before its store closes. */
export function atEnd(t: TestContext, end: () => Promise<void>): void {
  const known = endings.get(t)
  if (known !== undefined) return void known.push(end)
  const stack = [end]
  endings.set(t, stack)
  t.after(async () => {
    for (const last of stack.toReversed()) await last()
  })
}

async function firstProject(
  store: Store,
  settings: Partial<ProjectSettings>,
  { now, newId }: { now: () => number; newId: () => string },
): Promise<Project> {
  const [known] = (await store.listProjects({ limit: 1, after: null })).rows
  if (known !== undefined) return known
  const created = createProjectWithCredentials(
    dialects.get('native'),
    { name: 'test', default_callback_url: null },
    { now, newId, randomBytes },
  )
  created.project.settings = { ...created.project.settings, ...settings }
  await store.createProject(created)
  return created.project
}

/** Starts an engine over a world's store; it is stopped when the test ends. `store` may replace verbs of the store. */
export async function startEngine(
  t: TestContext,
  world: Pick<World, 'store' | 'clock' | 'expire' | 'calls'>,
  {
    store = world.store,
    tellOperator,
    registry = new Registry(),
    mail = noMailSender,
    workOf = async () => undefined,
    flushKeyUses = async () => {},
  }: {
    store?: Store
    tellOperator?: TellOperator
    registry?: Registry
    mail?: Sender
    workOf?: WorkOf
    flushKeyUses?: () => Promise<void>
  } = {},
) {
  const { sender: http, egress } = await startSender(t)
  const log = createTestLog()
  const attempts: Attempted[] = []
  let claims = 0
  let watchers: { count: number; resolve: () => void }[] = []
  const engine = createEngine({
    store: {
      ...store,
      async claim(request) {
        claims++
        return store.claim(request).finally(() => claims--)
      },
    },
    sender: createSenders({ http, mail }),
    callSender: createCallSender({
      sender: createHttpSender({ egress, body_bytes: ANSWER_BYTES, body_ms: null }),
      clock: world.clock,
    }),
    fetcher: createFetcher({ egress, version: '0.0.0' }),
    calls: world.calls,
    policy: (project) => dialects.get(project.dialect).policy(project),
    render: createRender(dialects),
    expire: world.expire,
    workOf,
    log,
    registry,
    clock: world.clock,
    flushKeyUses,
    tellOperator,
    onAttempt(attempted) {
      attempts.push(attempted)
      for (const { count, resolve } of watchers) if (attempts.length >= count) resolve()
      watchers = watchers.filter(({ count }) => attempts.length < count)
    },
  })
  await engine.start()
  atEnd(t, () => engine.stop(0))
  return {
    engine,
    log,
    attempts,
    /**
     * Resolves when so many attempts have been written and no claim is under way: one that is would rest from the time that a
     * test moves its clock to, and come too late for what is due then.
     */
    attempted: async (count: number): Promise<void> => {
      await new Promise<void>((resolve) => {
        if (attempts.length >= count) resolve()
        else watchers.push({ count, resolve })
      })
      for (let calm = 0; calm < 2; calm = claims === 0 ? calm + 1 : 0) await new Promise(setImmediate)
    },
  }
}
