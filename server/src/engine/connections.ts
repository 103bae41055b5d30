// Keep-alive connections, per lane and origin. Each is an undici Client, which is one socket at a time. Not undici's own Pool: it
// cannot say which socket carried a request (needed for remote_address and for telling a stale socket from a dead
// receiver), nor take back a request that waits, and its origins know no least recently used.
import type { Socket } from 'node:net'
import { Client, errors } from 'undici'
import type { Connect } from './connector.ts'
import { boundWire, HEADERS_BYTES } from './wire-bound.ts'

export type Connection = {
  readonly client: Client
  readonly pool: Pool
  /** The socket now open, or null. */
  socket: Socket | null
  /** The peer of the socket now open, or null. */
  remote_address: string | null
  /** Requests begun on the socket now open. */
  request_count: number
  /** To be called where a request begins: what its answer may take is counted from here. */
  beginAnswer: () => void
  cancelConnect: () => void
}

/**
 * Whose connections, and to where. Lanes share none: what hangs in one, such as another project's at the same origin, must not
 * use up those of the others.
 */
export type Pool = { lane: string; origin: string }

/** Someone in need of a connection. */
export type Waiter = {
  /** Hands the connection over; the waiter gives it back by `release`, `drop` or `replace`. */
  start(connection: Connection): void
  /** Tells a waiter that there will be none, because all is closing. */
  stop(): void
}

export type Connections = {
  /** Gives the waiter an idle or a new connection of the pool at once, or puts it at the end of the pool's queue. */
  acquire(pool: Pool, waiter: Waiter): void
  /** Takes a waiter out of the queue; does nothing when it is not in it. */
  abandon(pool: Pool, waiter: Waiter): void
  /** Takes back a connection whose answer ended by itself. */
  release(connection: Connection): void
  /** Destroys a connection, whatever is under way on it. */
  drop(connection: Connection): void
  /** Destroys a connection and gives a fresh one in its place, past the queue. */
  replace(connection: Connection): Connection
  /** Destroys all connections, stops all waiters, and resolves when the last socket is closed. */
  close(): Promise<void>
}

// Longer than this a receiver's own time-out is likely to close the socket under our next request.
const IDLE_MS = 10_000

// One for all, since each of its own has a stack: with thousands of time-outs at one moment stacks took a tenth of the time (measured).
const DESTROYED = new errors.ClientDestroyedError()

type Sockets = { connections: Set<Connection>; idle: Connection[]; waiters: Set<Waiter> }

const nameOf = ({ lane, origin }: Pool): string => `${lane} ${origin}`

/**
 * Makes the set of connections: at most `per_origin` of one lane to one origin, and at most `max_origins` pools with none but idle
 * connections: beyond, the least recently used is closed. Pools with a request under way are never closed for this. A
 * connection ends whose answer takes far more than a body of `body_bytes` could.
 */
export function createConnections({
  connect,
  per_origin,
  max_origins,
  body_bytes,
}: {
  connect: Connect
  per_origin: number
  max_origins: number
  body_bytes: number
}): Connections {
  const pools = new Map<string, Sockets>()
  // Those with none but idle connections, in the order of their last use: to find one among ten thousand that are busy would take long.
  const resting = new Set<string>()
  const closing = new Set<Promise<void>>()

  function touch(pool: Pool): Sockets {
    const name = nameOf(pool)
    const known = pools.get(name)
    if (known !== undefined) return known
    if (pools.size >= max_origins) closeOldestIdle()
    const sockets = { connections: new Set<Connection>(), idle: [], waiters: new Set<Waiter>() }
    pools.set(name, sockets)
    return sockets
  }

  function closeOldestIdle(): void {
    for (const name of resting) {
      for (const connection of pools.get(name)?.idle ?? []) drop(connection)
      return
    }
  }

  /** To be called when a connection was used, came or went. */
  function note(name: string, { idle, connections }: Sockets): void {
    resting.delete(name)
    if (connections.size === 0) pools.delete(name)
    else if (idle.length === connections.size) resting.add(name)
  }

  function open(pool: Pool, sockets: Sockets): Connection {
    const client = new Client(pool.origin, {
      allowH2: false,
      // The sender keeps the time itself, from the first look-up of the name on.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxHeaderSize: HEADERS_BYTES,
      connect: (options, callback) => {
        connection.socket = null
        connection.remote_address = null
        connection.request_count = 0
        connection.cancelConnect = connect(options, (opened) => {
          if (opened instanceof Error) return callback(opened, null)
          connection.cancelConnect = () => {}
          connection.socket = opened.socket
          connection.remote_address = opened.address
          connection.beginAnswer = boundWire(opened.socket, body_bytes)
          callback(null, opened.socket)
        })
      },
    })
    const connection: Connection = {
      client,
      pool,
      socket: null,
      remote_address: null,
      request_count: 0,
      beginAnswer: () => {},
      cancelConnect: () => {},
    }
    client.on('disconnect', () => {
      if (sockets.idle.includes(connection)) drop(connection)
    })
    sockets.connections.add(connection)
    return connection
  }

  function destroy(connection: Connection, sockets: Sockets): boolean {
    if (!sockets.connections.delete(connection)) return false
    sockets.idle = sockets.idle.filter((idle) => idle !== connection)
    connection.cancelConnect()
    const closed = connection.client.destroy(DESTROYED)
    closing.add(closed)
    void closed.finally(() => closing.delete(closed))
    return true
  }

  function drop(connection: Connection): void {
    const name = nameOf(connection.pool)
    const sockets = pools.get(name)
    if (sockets === undefined || !destroy(connection, sockets)) return
    const next = takeFirst(sockets.waiters)
    const opened = next && open(connection.pool, sockets)
    note(name, sockets)
    if (opened !== undefined) next?.start(opened)
  }

  return {
    acquire(pool, waiter) {
      const sockets = touch(pool)
      // The one used last: the others grow idle and close.
      const idle = sockets.idle.pop()
      if (idle !== undefined) {
        resting.delete(nameOf(pool))
        waiter.start(idle)
      } else if (sockets.connections.size < per_origin) waiter.start(open(pool, sockets))
      else sockets.waiters.add(waiter)
    },
    abandon(pool, waiter) {
      pools.get(nameOf(pool))?.waiters.delete(waiter)
    },
    release(connection) {
      const name = nameOf(connection.pool)
      const sockets = pools.get(name)
      if (sockets === undefined || !sockets.connections.has(connection)) return
      const next = takeFirst(sockets.waiters)
      if (next === undefined) {
        sockets.idle.push(connection)
        note(name, sockets)
      }
      // The client is still in the middle of the answer that ended; a request begun now would be taken for its next.
      else queueMicrotask(() => next.start(connection))
    },
    drop,
    replace(connection) {
      const sockets = touch(connection.pool)
      destroy(connection, sockets)
      return open(connection.pool, sockets)
    },
    async close() {
      for (const sockets of pools.values()) {
        for (const waiter of sockets.waiters) waiter.stop()
        sockets.waiters.clear()
        for (const connection of sockets.connections) destroy(connection, sockets)
      }
      pools.clear()
      resting.clear()
      await Promise.all(closing)
    },
  }
}

function takeFirst<T>(set: Set<T>): T | undefined {
  for (const first of set) {
    set.delete(first)
    return first
  }
  return undefined
}
