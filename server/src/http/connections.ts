// What the sockets below the API may do: how many there are, how long they may take to send and to read, and how much may be under
// way on each. Node bounds heads and whole requests in time; the rest, and requests that come in one after the other without
// waiting for their answers, is bounded here.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { BlockList, isIP, type Socket } from 'node:net'
import { addressGroup } from './inbound-rate.ts'

/** How many connections there may be. */
export type Connections = {
  /** Of all addresses together. */
  all: number
  /** Of one address (IPv6: one /64) that is no trusted proxy. */
  per_address: number
  /** CIDR ranges of proxies. */
  trust_proxy: readonly string[]
}

/** How long clients may take, in milliseconds. */
export type Patience = {
  /** For a request's head, from its first byte or from the connection's begin. */
  head_ms: number
  /** For a whole request. */
  request_ms: number
  /** For the next `PROGRESS_BYTES` of a body. A slow sender is found out within twice that time. */
  progress_ms: number
  /** Between two sounds of any kind, such as reading some more of an answer. */
  silence_ms: number
}

/** The patience with real clients; silence is longer than the longest wait for an answer (`?wait=60`) and any idle time. */
export const patient: Patience = {
  head_ms: 20_000,
  request_ms: 60_000,
  progress_ms: 10_000,
  silence_ms: 90_000,
}

// Longer than the idle time-outs of usual load balancers, which else send into a socket that we just closed.
const KEEP_ALIVE_MS = 75_000
const PROGRESS_BYTES = 1000
// Nobody but a flood has so many requests under way on one connection.
const UNANSWERED_MAX = 100

/** What goes wrong below the level of requests; `mayAnswer` says whether a text on the socket would be the answer to what went wrong. */
type OnBroken = (error: Error & { code?: string }, socket: Socket, mayAnswer: boolean) => void

type Connection = {
  request: IncomingMessage | null
  unanswered: Set<ServerResponse>
  /** The request that was incomplete at the last look, and the bytes that had come. */
  seen: IncomingMessage | null
  bytes: number
}

/** Makes a server whose connections are bounded. It does not listen yet. */
export function createBoundedServer(
  handler: RequestListener,
  {
    connections: limits,
    patience,
    onBroken,
  }: { connections: Connections; patience: Patience; onBroken: OnBroken },
): Server {
  const connections = new Map<Socket, Connection>()
  const admit = createAddressCount(limits)

  // Shared by all answers, so that none needs a function of its own.
  function answered(this: ServerResponse): void {
    connections.get(this.req.socket)?.unanswered.delete(this)
  }

  const server = createServer(
    {
      headersTimeout: patience.head_ms,
      requestTimeout: patience.request_ms,
      connectionsCheckingInterval: patience.head_ms / 4,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // The answer to such a request would have no body, which clients of some platforms do not survive.
      requireHostHeader: false,
    },
    (request, response) => {
      const connection = connections.get(request.socket)
      // The parser goes on with what it has read, though the connection was closed meanwhile.
      if (connection === undefined || request.socket.destroyed) return
      if (connection.unanswered.size >= UNANSWERED_MAX) return void request.socket.destroy()
      connection.request = request
      connection.unanswered.add(response)
      response.on('close', answered)
      handler(request, response)
    },
  )
  server.maxConnections = limits.all
  server.setTimeout(patience.silence_ms)

  server.on('connection', (socket) => {
    const leave = admit(socket.remoteAddress ?? '')
    if (leave === undefined) return void socket.destroy()
    connections.set(socket, { request: null, unanswered: new Set(), seen: null, bytes: 0 })
    socket.once('close', () => {
      leave()
      const connection = connections.get(socket)
      connections.delete(socket)
      // Older versions of Node tell this only to the answer whose turn it is, and a stop would wait for the others.
      for (const response of connection?.unanswered ?? []) {
        if (response.socket === null) response.emit('close')
      }
    })
  })
  server.on('clientError', (error: Error, socket) => {
    const connection = connections.get(socket as Socket)
    onBroken(error, socket as Socket, connection === undefined || mayAnswer(connection))
  })

  const sweep = setInterval(() => {
    for (const [socket, connection] of connections) {
      if (!isSlow(socket, connection)) continue
      const error = Object.assign(new Error('A body came too slowly'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
      server.emit('clientError', error, socket)
    }
  }, patience.progress_ms).unref()
  return server.once('close', () => clearInterval(sweep))
}

/** Looks at a connection anew: whether it has sent next to nothing of a body since the last look. */
function isSlow(socket: Socket, connection: Connection): boolean {
  const { request, seen, bytes } = connection
  const pending = request === null || request.complete ? null : request
  const came = socket.bytesRead - bytes
  connection.seen = pending
  connection.bytes = socket.bytesRead
  // What lies unread is not waited for: then we are the slow ones.
  return pending !== null && pending === seen && came < PROGRESS_BYTES && pending.readableLength === 0
}

/**
 * Whether a text on the socket would be taken for the answer to what went wrong: an earlier request that is not answered yet, or
 * an answer that has begun, would make it that of another.
 */
function mayAnswer({ request, unanswered }: Connection): boolean {
  if (request === null || request.complete) return unanswered.size === 0
  const [response] = unanswered
  return unanswered.size === 1 && response?.req === request && !response.headersSent
}

/** Counts the connections of each address; undefined says that one is too many, else a function that counts it off. */
function createAddressCount({ per_address, trust_proxy }: Connections) {
  const counts = new Map<string, number>()
  const proxies = new BlockList()
  for (const range of trust_proxy) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    proxies.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family)
  }
  return (remote: string): (() => void) | undefined => {
    // A server on :: sees IPv4 addresses in IPv6 clothes.
    const address = remote.replace(/^::ffff:(?=\d+\.)/i, '')
    if (isIP(address) !== 0 && proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return () => {}
    const group = addressGroup(address)
    const count = counts.get(group) ?? 0
    if (count >= per_address) return undefined
    counts.set(group, count + 1)
    return () => {
      const left = (counts.get(group) ?? 1) - 1
      if (left > 0) counts.set(group, left)
      else counts.delete(group)
    }
  }
}
