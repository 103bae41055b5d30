// Keep-alive connections, per origin. Each is an undici Client, which is one socket at a time. Not undici's own Pool: it
// cannot say which socket carried a request (needed for remote_address and for telling a stale socket from a dead
// receiver), nor take back a request that waits, and its origins know no least recently used.
import { Client } from 'undici'
import type { Connect } from './connector.ts'
import { boundWire, HEADERS_BYTES } from './wire-bound.ts'

export type Connection = {
  readonly client: Client
  readonly origin: string
  /** The peer of the socket now open, or null. */
  remote_address: string | null
  /** Requests begun on the socket now open. */
  request_count: number
  /** To be called where a request begins: what its answer may take is counted from here. */
  beginAnswer: () => void
  cancelConnect: () => void
}

/** Someone in need of a connection. */
export type Waiter = {
  /** Hands the connection over; the waiter gives it back by `release`, `drop` or `replace`. */
  start(connection: Connection): void
  /** Tells a waiter that there will be none, because all is closing. */
  stop(): void
}

export type Connections = {
  /** Gives the waiter an idle or a new connection to `origin` at once, or puts it at the end of the origin's queue. */
  acquire(origin: string, waiter: Waiter): void
  /** Takes a waiter out of the queue; does nothing when it is not in it. */
  abandon(origin: string, waiter: Waiter): void
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

type Origin = { connections: Set<Connection>; idle: Connection[]; waiters: Set<Waiter> }

/**
 * Makes the set of connections: at most `per_origin` to one origin, and at most `max_origins` origins with none but idle
 * connections: beyond, the least recently used is closed. Origins with a request under way are never closed for this. A
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
  // In the order of their last use.
  const origins = new Map<string, Origin>()
  const closing = new Set<Promise<void>>()

  function touch(key: string): Origin {
    const known = origins.get(key)
    if (known !== undefined) {
      origins.delete(key)
      origins.set(key, known)
      return known
    }
    if (origins.size >= max_origins) closeOldestIdle()
    const origin = { connections: new Set<Connection>(), idle: [], waiters: new Set<Waiter>() }
    origins.set(key, origin)
    return origin
  }

  function closeOldestIdle(): void {
    for (const { idle, connections } of origins.values()) {
      if (idle.length < connections.size) continue
      for (const connection of idle) drop(connection)
      return
    }
  }

  function open(key: string, origin: Origin): Connection {
    const client = new Client(key, {
      allowH2: false,
      // The sender keeps the time itself, from the first look-up of the name on.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      maxHeaderSize: HEADERS_BYTES,
      connect: (options, callback) => {
        connection.remote_address = null
        connection.request_count = 0
        connection.cancelConnect = connect(options, (opened) => {
          if (opened instanceof Error) return callback(opened, null)
          connection.remote_address = opened.address
          connection.beginAnswer = boundWire(opened.socket, body_bytes)
          callback(null, opened.socket)
        })
      },
    })
    const connection: Connection = {
      client,
      origin: key,
      remote_address: null,
      request_count: 0,
      beginAnswer: () => {},
      cancelConnect: () => {},
    }
    client.on('disconnect', () => {
      if (origin.idle.includes(connection)) drop(connection)
    })
    origin.connections.add(connection)
    return connection
  }

  function destroy(connection: Connection, origin: Origin): boolean {
    if (!origin.connections.delete(connection)) return false
    origin.idle = origin.idle.filter((idle) => idle !== connection)
    connection.cancelConnect()
    const closed = connection.client.destroy()
    closing.add(closed)
    void closed.finally(() => closing.delete(closed))
    return true
  }

  function drop(connection: Connection): void {
    const origin = origins.get(connection.origin)
    if (origin === undefined || !destroy(connection, origin)) return
    const next = takeFirst(origin.waiters)
    if (next !== undefined) next.start(open(connection.origin, origin))
    else if (origin.connections.size === 0) origins.delete(connection.origin)
  }

  return {
    acquire(key, waiter) {
      const origin = touch(key)
      // The one used last: the others grow idle and close.
      const idle = origin.idle.pop()
      if (idle !== undefined) waiter.start(idle)
      else if (origin.connections.size < per_origin) waiter.start(open(key, origin))
      else origin.waiters.add(waiter)
    },
    abandon(key, waiter) {
      origins.get(key)?.waiters.delete(waiter)
    },
    release(connection) {
      const origin = origins.get(connection.origin)
      if (origin === undefined || !origin.connections.has(connection)) return
      const next = takeFirst(origin.waiters)
      if (next === undefined) origin.idle.push(connection)
      // The client is still in the middle of the answer that ended; a request begun now would be taken for its next.
      else queueMicrotask(() => next.start(connection))
    },
    drop,
    replace(connection) {
      const origin = touch(connection.origin)
      destroy(connection, origin)
      return open(connection.origin, origin)
    },
    async close() {
      for (const origin of origins.values()) {
        for (const waiter of origin.waiters) waiter.stop()
        origin.waiters.clear()
        for (const connection of origin.connections) destroy(connection, origin)
      }
      origins.clear()
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
