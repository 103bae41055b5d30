// What the nodes on one PostgreSQL tell each other, by NOTIFY: hints that save a second of waiting and are never the only
// word, so losing some is no harm. They go on a connection of their own, after the commit: inside it they halve throughput.
import pg from 'pg'
import { SERVER_NAME } from './postgres-database.ts'

/** What happened on another node. Each part may be empty. */
export type Signal = {
  /** Something is pending and due. */
  wake: boolean
  /** Tasks that settled, or that something is called for and that took a step. */
  moved: string[]
  /** Destinations that were paused, or whose breaker opened. */
  held: string[]
  /** Projects whose settings or secrets changed. */
  changed: string[]
}

export type Signals = {
  /** Tells the other nodes, soon; together with what else is to be told by then. */
  publish(signal: Partial<Signal>): void
  /** Hears the other nodes. After a lost connection it hears a `wake`, since it may have missed one. */
  subscribe(listener: (signal: Signal) => void): void
  close(): Promise<void>
}

const CHANNEL = 'ringback'
// A payload holds 8000 bytes at most, an id of ours 36.
const IDS_A_PAYLOAD = 100
// More than a few payloads' worth is told by nobody: who waits for it looks once a second.
const IDS_MAX = 1000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5000

const nothing = (): Signal => ({ wake: false, moved: [], held: [], changed: [] })

/** Whoever may connect may notify, by hand and of anything: what is none of ours says nothing. */
function parse(payload: string | undefined): Partial<Signal> & { from?: string } {
  try {
    const told = JSON.parse(payload ?? '') as Partial<Signal>
    const { wake, moved, held, changed } = told
    const isOurs = typeof wake === 'boolean' && [moved, held, changed].every((ids) => Array.isArray(ids))
    return isOurs ? told : {}
  } catch {
    return {}
  }
}

/** Connects, and again whenever the connection is lost; `from` tells this node's own signals from those of others. */
export function createSignals({ url, from }: { url: string; from: string }): Signals {
  const listeners: ((signal: Signal) => void)[] = []
  let pending = nothing()
  let client: pg.Client | undefined
  let sending = false
  let closed = false
  let wait_ms = FIRST_WAIT_MS
  let timer: NodeJS.Timeout | undefined

  function hear(payload: string | undefined): void {
    const { from: sender, ...signal } = parse(payload)
    if (sender !== from) for (const listener of listeners) listener({ ...nothing(), ...signal })
  }

  async function connect(): Promise<void> {
    const made = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      application_name: SERVER_NAME,
    })
    // Without a listener an error of the connection would end the process.
    made.on('error', () => {})
    made.once('end', () => lost(made))
    made.on('notification', ({ payload }) => hear(payload))
    try {
      await made.connect()
      await made.query(`listen ${CHANNEL}`)
    } catch {
      await made.end().catch(() => {})
      return lost(made)
    }
    if (closed) return made.end()
    client = made
    wait_ms = FIRST_WAIT_MS
    for (const listener of listeners) listener({ ...nothing(), wake: true })
    void send()
  }

  function lost(which: pg.Client): void {
    if (client !== undefined && client !== which) return
    client = undefined
    if (closed || timer !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      void connect()
    }, wait_ms)
    wait_ms = Math.min(2 * wait_ms, LONGEST_WAIT_MS)
  }

  /** Takes what fits into one payload; undefined when nothing is to be told. */
  function take(): string | undefined {
    const { wake, moved, held, changed } = pending
    if (!wake && moved.length + held.length + changed.length === 0) return undefined
    const part = {
      wake,
      moved: moved.splice(0, IDS_A_PAYLOAD),
      held: held.splice(0, IDS_A_PAYLOAD / 4),
      changed: changed.splice(0, IDS_A_PAYLOAD / 4),
    }
    pending.wake = false
    return JSON.stringify({ from, ...part })
  }

  async function send(): Promise<void> {
    if (sending) return
    sending = true
    // A macrotask later everything that one commit brings has joined.
    await new Promise(setImmediate)
    try {
      for (;;) {
        const payload = client === undefined ? undefined : take()
        if (payload === undefined) break
        await client?.query('select pg_notify($1, $2)', [CHANNEL, payload])
      }
    } catch {
      // The connection is lost, and `lost` knows.
    } finally {
      sending = false
    }
  }

  void connect()
  return {
    publish({ wake = false, moved = [], held = [], changed = [] }) {
      pending.wake ||= wake
      if (pending.moved.length < IDS_MAX) pending.moved.push(...moved)
      if (pending.held.length < IDS_MAX) pending.held.push(...held)
      if (pending.changed.length < IDS_MAX) pending.changed.push(...changed)
      if (client !== undefined) void send()
    },
    subscribe: (listener) => void listeners.push(listener),
    async close() {
      closed = true
      clearTimeout(timer)
      await client?.end().catch(() => {})
    },
  }
}
