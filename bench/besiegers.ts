// A siege, in a process of its own: receivers that drip the head of an answer which never ends, each on its own port and so each a
// destination of its own, and clients that send one byte a second until the server cuts them, and then come again.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { readRequests } from './http-requests.ts'

/** Half of the clients are slow with the head of a request, half with the body, which takes an id that is live. */
export type BesiegersOrder = { port: number; callback_ids: string[] }

/** How many connections are held just now. */
export type Held = { dripping: number; slow: number }

export type BesiegersMessage = { kind: 'listening'; urls: string[] } | ({ kind: 'held' } & Held)

const BYTE_MS = 1000
const TELL_MS = 100
const AGAIN_MS = 10
// Longer than anybody can be at a byte a second before the server has enough.
const BODY_BYTES = 10_000

const [count = 0] = process.argv.slice(2).map(Number)
const dripping = new Set<Socket>()
const slow = new Set<Socket>()

/** Sends a text, and then a byte every second for as long as the connection holds. */
function dribble(socket: Socket, text: string, byteAt: (i: number) => string): void {
  socket.write(text)
  let i = 0
  const timer = setInterval(() => socket.write(byteAt(i++)), BYTE_MS)
  socket.on('close', () => clearInterval(timer))
}

async function listen(): Promise<string> {
  const server = createServer((socket) => {
    readRequests(socket, () => {
      dripping.add(socket)
      dribble(socket, 'HTTP/1.1 200 OK\r\nx-drip: ', () => '.')
    })
    socket.on('close', () => dripping.delete(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

function besiege(port: number, callback_id: string, what: 'head' | 'body'): void {
  const head = `POST /v1/callbacks/${callback_id} HTTP/1.1\r\nhost: bench\r\ncontent-length: ${BODY_BYTES}\r\n`
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
    slow.add(socket)
    if (what === 'head') dribble(socket, '', (i) => head[i] ?? 'x')
    else dribble(socket, `${head}\r\n`, (i) => (i === 0 ? '"' : 'x'))
  })
  socket.on('error', () => {}).resume()
  socket.on('close', () => {
    slow.delete(socket)
    setTimeout(besiege, AGAIN_MS, port, callback_id, what)
  })
}

const tell = (message: BesiegersMessage) => process.send?.(message)

process.on('message', ({ port, callback_ids }: BesiegersOrder) => {
  for (const [i, callback_id] of callback_ids.entries())
    besiege(port, callback_id, i % 2 === 0 ? 'head' : 'body')
})
process.on('disconnect', () => process.exit(0))
setInterval(() => tell({ kind: 'held', dripping: dripping.size, slow: slow.size }), TELL_MS)
tell({ kind: 'listening', urls: await Promise.all(Array.from({ length: count }, listen)) })
