// The receivers of the soak, in a process of their own and each on its own port. The path of a callback's URL is the number
// of its task. What they accept they tell in batches: a message for each would cost more than the receiving.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { milliseconds } from './figures.ts'
import { OK, readRequests } from './http-requests.ts'

export const receivers = ['healthy', 'refusing', 'slow', 'hanging'] as const
export type Receiver = (typeof receivers)[number]

/** A task's callback was accepted, at a time of the machine's monotonic clock. */
export type Accepted = { number: number; at: number }

export type ReceiversMessage =
  | { kind: 'listening'; urls: Record<Receiver, string> }
  | { kind: 'accepted'; accepted: Accepted[] }

type Request = Accepted & { attempt: number; socket: Socket }

const REFUSED = 'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n'
const REFUSES_ONE_IN = 5
const SLOW_MS = 1000
const TELL_MS = 100

let accepted: Accepted[] = []

function accept({ number, at, socket }: Request): void {
  accepted.push({ number, at })
  socket.write(OK)
}

const behavior: Record<Receiver, (request: Request) => void> = {
  healthy: accept,
  refusing(request) {
    if (request.attempt === 1 && request.number % REFUSES_ONE_IN === 0) request.socket.write(REFUSED)
    else accept(request)
  },
  slow: (request) => void setTimeout(accept, SLOW_MS, request),
  hanging: () => {},
}

async function listen(receiver: Receiver): Promise<[Receiver, string]> {
  const server = createServer((socket) =>
    readRequests(socket, (head) => {
      const number = Number(/^POST \/(\d+) /.exec(head)?.[1])
      const attempt = Number(/^ringback-attempt: *(\d+)/im.exec(head)?.[1])
      behavior[receiver]({ number, attempt, at: milliseconds(), socket })
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return [receiver, `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`]
}

const tell = (message: ReceiversMessage) => process.send?.(message)

setInterval(() => {
  tell({ kind: 'accepted', accepted })
  accepted = []
}, TELL_MS)
process.on('disconnect', () => process.exit(0))
const urls = Object.fromEntries(await Promise.all(receivers.map(listen))) as Record<Receiver, string>
tell({ kind: 'listening', urls })
