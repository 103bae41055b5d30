// A platform in a dialect, for scenarios: API and engine on one store, a receiver for its callbacks, a clock that stands still.
// Customers call by `request` with whatever their dialect asks for, the platform's staff by `operate`.
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { randomBytes, randomUUID } from 'node:crypto'
import { createVerbs } from '../../src/dialects/apply.ts'
import { createCallWiring } from '../../src/dialects/call-wiring.ts'
import type { Dialects } from '../../src/dialects/dialect.ts'
import { createDirectory } from '../../src/dialects/directory.ts'
import { createDialects } from '../../src/dialects/index.ts'
import { createWorkOf } from '../../src/dialects/work-of.ts'
import { createIds } from '../../src/domain/id.ts'
import type { Sender } from '../../src/engine/senders.ts'
import { createCipher } from '../../src/store/cipher.ts'
import { createStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { startApi, type Body } from '../http/start-api.ts'
import { openTestDriver } from './database.ts'
import { ANSWER_BYTES, atEnd, startEngine } from './engine.ts'
import { createManualClock } from './manual-clock.ts'
import { startReceiver } from './receiver.ts'
import { using } from './sender.ts'

/** A callback as its receiver got it. */
export type Received = { path: string; headers: IncomingHttpHeaders; text: string; body: Body; at: number }

type Options = {
  mail?: Sender
  /** May replace what the dialects are for the API. */
  wrapDialects?: (dialects: Dialects) => Dialects
}

/** Starts a platform; it stops when the test ends. It sends e-mail if there is something to send it with. */
export async function startPlatform(t: TestContext, dialect: string, { mail, wrapDialects }: Options = {}) {
  const clock = createManualClock()
  const folder = await mkdtemp(join(tmpdir(), 'ringback-platform-'))
  const store = createStore({
    driver: await openTestDriver(folder),
    cipher: createCipher(Buffer.alloc(32, 7)),
    now: clock.now,
    owner: randomUUID(),
  })
  atEnd(t, async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const received: Received[] = []
  // What the next callbacks are answered with; afterwards 200.
  const answers: number[] = []
  const receiver = await using(
    t,
    startReceiver(({ url = '', headers }, response, text) => {
      received.push({ path: url, headers, text, body: JSON.parse(text) as Body, at: clock.now() })
      response.statusCode = answers.shift() ?? 200
      response.end()
    }),
  )
  // What is looked at a second time, since it was found to be waited for.
  let lookups = 0
  const over: Store = {
    ...store,
    findTask(scope, id) {
      lookups++
      return store.findTask(scope, id)
    },
  }
  const api = await startApi(t, { mail: mail !== undefined }, { over, dialect, wrapDialects })
  const dialects = createDialects({ version: '0.0.0' })
  const newId = createIds(clock.now, (bytes) => bytes.set(randomBytes(bytes.length)))
  const verbs = createVerbs({ store, dialects, directory: createDirectory(store), newId, randomBytes })
  const world = {
    store,
    clock,
    calls: createCallWiring({
      store,
      dialects,
      verbs,
      public_url: api.deps.config.public_url,
      version: '0.0.0',
      answer_bytes: ANSWER_BYTES,
    }),
    expire: (task: Parameters<typeof verbs.tryApply>[0]) => verbs.tryApply(task, 'expire', {}),
  }
  const { registry } = api.deps
  const engine = await startEngine(t, world, { mail, registry, workOf: createWorkOf(api.deps) })

  return {
    ...api,
    ...engine,
    clock,
    /** Of its database. */
    folder,
    /** Where callbacks are received; any path below it, too. */
    receiver_url: receiver.url,
    received,
    /** How often the API has looked up a task by its id; a request that is held does so once it waits. */
    lookups: () => lookups,
    /** The next callbacks are answered with these status codes. */
    answerWith: (...codes: number[]) => void answers.push(...codes),
    /** A customer's call, with no header but those given. */
    request: (
      method: string,
      path: string,
      init: { headers?: Record<string, string>; json?: unknown; raw?: string } = {},
    ) => api.call(method, path, { key: null, ...init }),
    /** A call of the platform's staff to the native API. */
    operate: (method: string, path: string, json?: unknown) =>
      api.call(method, path, { key: api.credentials.operator_key, json }),
    /** Moves the clock to each retry of the one delivery there is, from its `first` attempt on, and resolves with the number of the last. */
    exhaust: async (first: number): Promise<number> => {
      for (let made = first; ; made++) {
        await engine.attempted(made)
        const { settlement } = engine.attempts.at(-1)!
        if (settlement.due_at === null) return made
        clock.advanceTo(settlement.due_at)
      }
    },
  }
}
