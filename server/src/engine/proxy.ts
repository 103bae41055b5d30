// The operator's own proxy, through which customers' URLs are called where a network lets nothing else out. It is asked for
// the address that the guard judged, never for the name: a proxy that resolves names itself would undo the guard. TLS goes
// through it unread.
import { isIP, type Socket } from 'node:net'
import { SendError } from '../domain/outcome.ts'
import { portOf, reachDirectly, stopped, type Reach } from './connector.ts'
import { addressesOf } from './egress.ts'
import { splitUrl } from './request-url.ts'
import type { Resolver } from './resolver.ts'

const HEAD_BYTES = 16 * 1024
const HEAD_END = '\r\n\r\n'

/**
 * Makes the way through the proxy at `url` (`http://user:password@host:port`) by CONNECT, for http and https alike. Its
 * failures name neither the proxy nor what it said: customers read them.
 */
export function createProxyReach({ url: text, resolver }: { url: string; resolver: Resolver }): Reach {
  const url = new URL(text)
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = portOf(url)
  const { authorization } = splitUrl(url)
  const credentials = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`

  async function toProxy(bounds: Parameters<Reach>[1]): Promise<Socket | SendError> {
    let addresses: readonly string[]
    try {
      addresses = await addressesOf(hostname, resolver)
    } catch {
      return new SendError('connection', 'The name of this server’s own proxy does not resolve.')
    }
    const deadline = performance.now() + bounds.timeout_ms
    for (const address of addresses) {
      const timeout_ms = deadline - performance.now()
      if (timeout_ms <= 0 || bounds.signal.aborted) break
      const socket = await reachDirectly({ address, port }, { ...bounds, timeout_ms })
      if (!(socket instanceof SendError)) return socket
    }
    if (bounds.signal.aborted) return stopped()
    return new SendError('connection', 'This server’s own proxy could not be reached.')
  }

  return async (to, { timeout_ms, signal }) => {
    const began = performance.now()
    const socket = await toProxy({ timeout_ms, signal })
    if (socket instanceof SendError) return socket
    const target = `${isIP(to.address) === 6 ? `[${to.address}]` : to.address}:${to.port}`
    socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials}\r\n`)
    const left_ms = Math.max(timeout_ms - (performance.now() - began), 1)
    const fault = await hearProxy(socket, { timeout_ms: left_ms, signal })
    if (fault === undefined) return socket
    socket.destroy()
    return fault
  }
}

/** Reads the proxy's answer off the socket, and nothing after it; says why there is no way through. */
function hearProxy(
  socket: Socket,
  { timeout_ms, signal }: Parameters<Reach>[1],
): Promise<SendError | undefined> {
  return new Promise((resolve) => {
    let head = ''
    const settle = (fault?: SendError) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      socket.off('readable', read).off('close', closed)
      resolve(fault)
    }
    const fail = (why: string) => settle(new SendError('connection', `This server’s own proxy ${why}.`))
    const cancel = () => settle(stopped())
    const closed = () => fail('closed the connection')
    // By `readable`, since a socket that flows would lose what comes before its next reader listens.
    const read = () => {
      for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
        head += chunk.toString('latin1')
      const end = head.indexOf(HEAD_END)
      if (end === -1) return head.length > HEAD_BYTES ? fail('answered without an end') : undefined
      const status = /^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? ''
      if (!status.startsWith('2')) return fail(status === '' ? 'speaks no HTTP' : `answered ${status}`)
      // The receiver speaks second. What is there already would be taken for its answer.
      if (end + HEAD_END.length < head.length) return fail('said more than it was asked')
      settle()
    }
    const late = `This server’s own proxy gave no connection within ${Math.round(timeout_ms)} ms.`
    const timer = setTimeout(() => settle(new SendError('timeout', late)), timeout_ms)
    signal.addEventListener('abort', cancel)
    socket.on('readable', read).once('close', closed)
    if (signal.aborted) cancel()
  })
}
