// Opens one TCP or TLS connection for the HTTP client, to a vetted address and nowhere else. The host name serves for SNI
// and the certificate only: given to net.connect it would be resolved a second time, and the guard would have judged the
// wrong address.
import { constants } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, DEFAULT_CIPHERS } from 'node:tls'
import type { buildConnector } from 'undici'
import { classifyError, SendError } from '../domain/outcome.ts'

/**
 * Opens a connection for an undici client, and tells the address that it leads to: behind a proxy that is not the socket's
 * own peer. Returns the way to give up: after it the connection under way is destroyed.
 */
export type Connect = (options: buildConnector.Options, opened: Opened) => () => void
type Opened = (result: { socket: Socket; address: string } | Error) => void

/**
 * Opens a TCP connection to an address, directly or through somebody, within `timeout_ms`. A failure is returned, not thrown:
 * it is the next address's turn.
 */
export type Reach = (
  to: { address: string; port: number },
  bounds: { timeout_ms: number; signal: AbortSignal },
) => Promise<Socket | SendError>

const MOST_ADDRESSES = 3
const MOST_SESSIONS = 1000
// A session holds the receiver's certificate, which may have any size.
const SESSION_BYTES = 16 * 1024
// A server gives one or two. 50,000 of them on each of four connections held up everybody for 3 s (measured).
const MOST_TICKETS = 16

type Encryption = { address: string; hostname: string; sessionKey: string; sessions: Map<string, Buffer> }

/**
 * Makes a connector. `vet` answers a host name or literal, and the port, with the addresses allowed, or throws a `SendError`.
 * Up to three addresses are tried in turn; `connect_timeout_ms` is for all of them together, until TCP stands. What TLS
 * takes then is bounded by the time-out of the request only. HTTP/2 is never offered.
 */
export function createConnector({
  vet,
  reach = reachDirectly,
  connect_timeout_ms = 10_000,
}: {
  vet: (hostname: string, port: number) => Promise<readonly string[]>
  reach?: Reach
  connect_timeout_ms?: number
}): Connect {
  const sessions = new Map<string, Buffer>()

  async function open(
    options: buildConnector.Options,
    signal: AbortSignal,
  ): Promise<{ socket: Socket; address: string }> {
    const { hostname, protocol } = options
    const port = portOf(options)
    const addresses = (await vet(hostname, port)).slice(0, MOST_ADDRESSES)
    const deadline = performance.now() + connect_timeout_ms
    let failure = new SendError('dns', `The name ${hostname} has no address.`)
    for (const [tried, address] of addresses.entries()) {
      // An equal share of what is left: an address that swallows packets cannot eat the time of the next.
      const timeout_ms = Math.max((deadline - performance.now()) / (addresses.length - tried), 1)
      const reached = await reach({ address, port }, { timeout_ms, signal })
      const sessionKey = `${hostname}:${port}`
      const result =
        reached instanceof SendError || protocol !== 'https:'
          ? reached
          : await encrypt(reached, { address, hostname, sessionKey, sessions }, signal)
      if (!(result instanceof SendError)) return { socket: result, address }
      failure = result
      if (signal.aborted || failure.kind === 'tls') break
    }
    throw failure
  }

  async function answer(options: buildConnector.Options, opened: Opened, signal: AbortSignal): Promise<void> {
    let result: { socket: Socket; address: string }
    try {
      result = await open(options, signal)
    } catch (error) {
      return opened(error instanceof Error ? error : new Error(String(error)))
    }
    opened(result)
  }

  return (options, opened) => {
    const canceled = new AbortController()
    void answer(options, opened, canceled.signal)
    return () => canceled.abort()
  }
}

/** The port of a URL, or of what a client connects to: the one of its scheme where none is named. */
export const portOf = ({ protocol, port }: { protocol: string; port: string }): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)

/** Opens a TCP connection from here. */
export const reachDirectly: Reach = ({ address, port }, { timeout_ms, signal }) =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve(stopped())
    const socket = connectTcp({ host: address, port })
    const settle = (result: Socket | SendError) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      socket.off('error', fail)
      if (result instanceof SendError) socket.destroy()
      resolve(result)
    }
    const cancel = () => settle(stopped())
    const fail = (error: Error) => settle(toSendError(error, false))
    const timer = setTimeout(() => settle(overdue(timeout_ms)), timeout_ms)
    signal.addEventListener('abort', cancel)
    socket.setNoDelay(true)
    // Stays for the socket's life: an error between here and the HTTP client's own listener would end the process.
    socket.on('error', ignore)
    socket.on('error', fail)
    socket.once('connect', () => settle(socket))
  })

/** The failure of a connection that was given up by whoever wanted it. */
export const stopped = (): SendError => new SendError('unknown', 'stopped')

/** The failure of a connection that took too long. */
const overdue = (timeout_ms: number): SendError =>
  new SendError('timeout', `The connection was not established within ${Math.round(timeout_ms)} ms.`)

// Of a Diffie-Hellman group the receiver says how large its numbers are: with those of 10,000 bits, which OpenSSL bears, each handshake
// stopped everything for 0.9 s (measured). Who has that, has elliptic curves, too.
const CIPHERS = `${DEFAULT_CIPHERS}:!DHE`

/** Makes a TLS connection of one that stands, and checks the certificate for `hostname`. */
function encrypt(
  plain: Socket,
  { address, hostname, sessionKey, sessions }: Encryption,
  signal: AbortSignal,
): Promise<Socket | SendError> {
  return new Promise((resolve) => {
    const socket = connectTls({
      socket: plain,
      ciphers: CIPHERS,
      // A receiver could have us make one handshake after the other on a connection that stands.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      // A literal has no SNI; Node then compares the certificate with `host`.
      servername: isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : '',
      host: address,
      session: sessions.get(sessionKey),
      ALPNProtocols: ['http/1.1'],
      // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise switch it off.
      rejectUnauthorized: true,
    })
    const settle = (result: Socket | SendError) => {
      signal.removeEventListener('abort', cancel)
      socket.off('error', fail)
      if (result instanceof SendError) socket.destroy()
      resolve(result)
    }
    const cancel = () => settle(stopped())
    const fail = (error: Error) => settle(toSendError(error, true))
    signal.addEventListener('abort', cancel)
    // As above.
    socket.on('error', ignore)
    socket.on('error', fail)
    socket.once('secureConnect', () => settle(socket))
    let ticketCount = 0
    socket.on('session', (session: Buffer) => {
      if (++ticketCount > MOST_TICKETS)
        socket.destroy(new SendError('protocol', 'The receiver sends TLS session tickets without end.'))
      else remember(sessions, sessionKey, session)
    })
    if (signal.aborted) cancel()
  })
}

const ignore = () => {}

function toSendError(error: Error, inHandshake: boolean): SendError {
  const { kind, error: sentence } = classifyError(error)
  if (!inHandshake || kind === 'tls') return new SendError(kind, sentence)
  const code = 'code' in error ? String(error.code) : error.message
  return new SendError('tls', `The receiver broke off the TLS handshake (${code}).`)
}

/** Keeps a TLS session, which makes the next handshake with that host cheaper; the oldest goes first. */
function remember(sessions: Map<string, Buffer>, key: string, session: Buffer): void {
  sessions.delete(key)
  if (session.length > SESSION_BYTES) return
  const oldest = sessions.size >= MOST_SESSIONS ? sessions.keys().next().value : undefined
  if (oldest !== undefined) sessions.delete(oldest)
  sessions.set(key, session)
}
