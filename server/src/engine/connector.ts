// Opens one TCP or TLS connection for the HTTP client, to a vetted address and nowhere else. The host name serves for SNI
// and the certificate only: given to net.connect it would be resolved a second time, and the guard would have judged the
// wrong address.
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'
import { classifyError, SendError } from '../domain/outcome.ts'

/** An undici connector that returns the way to give up: after it the connection under way is destroyed. */
export type Connect = (options: buildConnector.Options, callback: buildConnector.Callback) => () => void

const MOST_ADDRESSES = 3
const MOST_SESSIONS = 1000

type Route = { address: string; port: number; hostname: string; secure: boolean }

/**
 * Makes a connector. `vet` answers a host name or literal with the addresses allowed, or throws a `SendError`. Up to
 * three addresses are tried in turn; `connect_timeout_ms` is for all of them together, until TCP stands. What TLS takes
 * then is bounded by the time-out of the request only. HTTP/2 is never offered.
 */
export function createConnector({
  vet,
  connect_timeout_ms = 10_000,
}: {
  vet: (hostname: string) => Promise<readonly string[]>
  connect_timeout_ms?: number
}): Connect {
  const sessions = new Map<string, Buffer>()

  async function open(
    { hostname, protocol, port }: buildConnector.Options,
    signal: AbortSignal,
  ): Promise<Socket> {
    const secure = protocol === 'https:'
    const addresses = (await vet(hostname)).slice(0, MOST_ADDRESSES)
    const deadline = performance.now() + connect_timeout_ms
    const portNumber = port === '' ? (secure ? 443 : 80) : Number(port)
    let failure = new SendError('dns', `The name ${hostname} has no address.`)
    for (const [tried, address] of addresses.entries()) {
      // An equal share of what is left: an address that swallows packets cannot eat the time of the next.
      const share_ms = Math.max((deadline - performance.now()) / (addresses.length - tried), 1)
      const route = { address, port: portNumber, hostname, secure }
      const result = await dial(route, sessions, share_ms, signal)
      if (!(result instanceof SendError)) return result
      failure = result
      if (signal.aborted || failure.kind === 'tls') break
    }
    throw failure
  }

  async function answer(
    options: buildConnector.Options,
    callback: buildConnector.Callback,
    signal: AbortSignal,
  ): Promise<void> {
    let socket: Socket
    try {
      socket = await open(options, signal)
    } catch (error) {
      return callback(error instanceof Error ? error : new Error(String(error)), null)
    }
    callback(null, socket)
  }

  return (options, callback) => {
    const canceled = new AbortController()
    void answer(options, callback, canceled.signal)
    return () => canceled.abort()
  }
}

/** Connects to one address. A failure is returned, not thrown: it is the next address's turn. */
function dial(
  { address, port, hostname, secure }: Route,
  sessions: Map<string, Buffer>,
  timeout_ms: number,
  signal: AbortSignal,
): Promise<Socket | SendError> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(new SendError('unknown', 'stopped'))
    // A literal has no SNI; Node then compares the certificate with `host`.
    const servername = isIP(hostname) === 0 ? hostname.replace(/\.$/, '') : ''
    const sessionKey = `${hostname}:${port}`
    const socket = secure
      ? connectTls({
          host: address,
          port,
          servername,
          session: sessions.get(sessionKey),
          ALPNProtocols: ['http/1.1'],
          // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise switch it off.
          rejectUnauthorized: true,
        })
      : connectTcp({ host: address, port })
    let connected = false

    const settle = (result: Socket | SendError) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      if (result instanceof SendError) socket.destroy()
      resolve(result)
    }
    const cancel = () => settle(new SendError('unknown', 'stopped'))
    const timer = setTimeout(() => {
      settle(
        new SendError('timeout', `The connection was not established within ${Math.round(timeout_ms)} ms.`),
      )
    }, timeout_ms)

    signal.addEventListener('abort', cancel)
    socket.setNoDelay(true)
    // Stays for the socket's life: an error between here and the HTTP client's own listener would end the process.
    socket.on('error', (error) => settle(toSendError(error, secure && connected)))
    socket.once('connect', () => {
      connected = true
      clearTimeout(timer)
      if (!secure) settle(socket)
    })
    if (!secure) return
    socket.once('secureConnect', () => settle(socket))
    socket.on('session', (session: Buffer) => remember(sessions, sessionKey, session))
  })
}

function toSendError(error: Error, inHandshake: boolean): SendError {
  const { kind, error: sentence } = classifyError(error)
  if (!inHandshake || kind === 'tls') return new SendError(kind, sentence)
  const code = 'code' in error ? String(error.code) : error.message
  return new SendError('tls', `The receiver broke off the TLS handshake (${code}).`)
}

/** Keeps a TLS session, which makes the next handshake with that host cheaper; the oldest goes first. */
function remember(sessions: Map<string, Buffer>, key: string, session: Buffer): void {
  sessions.delete(key)
  const oldest = sessions.size >= MOST_SESSIONS ? sessions.keys().next().value : undefined
  if (oldest !== undefined) sessions.delete(oldest)
  sessions.set(key, session)
}
