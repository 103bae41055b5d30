// Receivers that are no good, for those who share a server with them.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { OK, readRequests } from './http-requests.ts'

export type BrokenReceiver = AsyncDisposable & { url: string }

const SLOW_MS = 10_000
const DRIP_MS = 1000
const CHUNKS = 16_000
const IN_CHUNKS = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\n.\r\n'.repeat(CHUNKS)}0\r\n\r\n`

/** What a receiver does with each request, of which it gets the head. */
type Behavior = (socket: Socket, head: string) => void

/** Answers 200 at once: not broken, but as much work. */
export const answerAtOnce: Behavior = (socket) => void socket.write(OK)

/** Takes the request, and that is all. */
export const neverAnswer: Behavior = () => {}

/** Answers the first request to each of its names at once, and takes the others. */
export function answerFirst(): Behavior {
  const answered = new Set<string | undefined>()
  return (socket, head) => {
    const host = /^host: *(\S+)/im.exec(head)?.[1]
    if (answered.has(host)) return
    answered.add(host)
    socket.write(OK)
  }
}

/** Answers 500 at once. */
export const answer500: Behavior = (socket) =>
  void socket.write('HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n')

/** Answers 200 after 10 s. */
export const answerLate: Behavior = (socket) => void setTimeout(() => socket.write(OK), SLOW_MS)

/** Answers 200 with a body that never ends. */
export const drip: Behavior = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  const timer = setInterval(() => socket.write('.'), DRIP_MS)
  socket.on('close', () => clearInterval(timer))
}

/** Answers 200 with a body of many thousand chunks, a byte each. */
export const answerInChunks: Behavior = (socket) => void socket.write(IN_CHUNKS)

/** Starts one on a free port of the loopback address. */
export async function startBroken(behave: Behavior): Promise<BrokenReceiver> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    readRequests(socket, (head) => behave(socket, head))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
