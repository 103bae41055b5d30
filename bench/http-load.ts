// A load generator that costs little itself: plain sockets with keep-alive, one request under way on each.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds } from './figures.ts'

export type LoadRequest = { method: string; path: string; headers?: Record<string, string>; body?: string }
export type LoadAnswer = { status: number; body: string; sent_at: number; answered_at: number }

/** One kept connection: a request waits for the answer to the one before. Rejects when the server closes it. */
export type Exchange = { send(request: LoadRequest): Promise<LoadAnswer>; close(): void }

const HEAD_END = '\r\n\r\n'

/**
 * Sends all requests over `connections` sockets, spread evenly over the ports, and gives the answers in the order of the
 * requests. With `timeOf` none is sent earlier than so many milliseconds after the first; times must not fall.
 */
export async function sendAll(
  ports: readonly number[],
  requests: readonly LoadRequest[],
  connections: number,
  timeOf?: (i: number) => number,
): Promise<LoadAnswer[]> {
  const answers: LoadAnswer[] = []
  const started = milliseconds()
  let next = 0
  async function lane(_: unknown, index: number): Promise<void> {
    const exchange = await openExchange(ports[index % ports.length] as number)
    for (let i = next++; i < requests.length; i = next++) {
      const wait_ms = timeOf === undefined ? 0 : started + timeOf(i) - milliseconds()
      if (wait_ms > 0) await sleep(wait_ms)
      answers[i] = await exchange.send(requests[i] as LoadRequest)
    }
    exchange.close()
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return answers
}

/** Connects to a port of the loopback address. */
export async function openExchange(port: number): Promise<Exchange> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const exchange = createExchange(socket)
  return {
    async send(request) {
      const sent_at = milliseconds()
      const { status, body } = await exchange(wire(request))
      return { status, body, sent_at, answered_at: milliseconds() }
    },
    close: () => void socket.destroy(),
  }
}

function wire({ method, path, headers = {}, body = '' }: LoadRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const type = body === '' ? '' : 'content-type: application/json\r\n'
  return `${method} ${path} HTTP/1.1\r\nhost: bench\r\n${lines.join('')}${type}content-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`
}

function createExchange(socket: Socket): (wire: string) => Promise<{ status: number; body: string }> {
  let rest = ''
  let waiting:
    | { resolve: (answer: { status: number; body: string }) => void; reject: (e: Error) => void }
    | undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    rest += chunk
    const head_end = rest.indexOf(HEAD_END)
    if (head_end < 0) return
    const body_at = head_end + HEAD_END.length
    const end = body_at + Number(/^content-length: *(\d+)/im.exec(rest)?.[1] ?? 0)
    if (rest.length < end) return
    const answer = { status: Number(rest.slice(9, 12)), body: rest.slice(body_at, end) }
    rest = rest.slice(end)
    waiting?.resolve(answer)
  })
  const onLost = (error?: Error) => waiting?.reject(error ?? new Error('the server closed a connection'))
  socket.on('error', onLost)
  socket.on('close', () => onLost())
  return (text) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject }
      socket.write(text)
    })
}
