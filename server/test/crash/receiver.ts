// The customer's side: it verifies every callback, fails a few of the attempts, and keeps a log of what it accepted.
// A callback counts as accepted when it arrives, even if its sender dies before the answer is out, as in a real receiver.
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import { verifyCallback, type CallbackEvent } from '@ringback/sdk'
import { between, type Random } from './random.ts'

/** One verified callback, in the order of arrival; `boot` numbers the server process that sent it. */
export type Receipt = Pick<
  CallbackEvent,
  'type' | 'sequence' | 'task_id' | 'status' | 'response' | 'detail'
> & {
  boot: number
  /** When it arrived, in milliseconds since the epoch. */
  at: number
  webhook_id: string
  attempt: number
  /** What it is answered with. */
  status_code: 200 | 500
  /** Of the body's bytes. */
  digest: string
}

/** Whether the receiver took this attempt for good. */
export const isAccepted = ({ status_code }: Pick<Receipt, 'status_code'>): boolean => status_code === 200

export type Receiver = AsyncDisposable & {
  url: string
  receipts: Receipt[]
  /** Requests that should never have come: not verifiable, or not even readable. */
  faults: string[]
  /** The most requests that one server process had open at once. */
  mostInHand(): number
  /** Resolves when every connection of the dead process is closed and read to its end, then counts a new process. */
  nextBoot(): Promise<number>
  /** Whose signatures count from now on. */
  trust(secret: string): void
}

export type ReceiverOptions = {
  random: Random
  /** The longest time that an answer takes. */
  slowest_ms?: number
  /** Who sends over a connection that just opened; by default it is the process that `nextBoot` counted last. */
  senderOf?: (socket: Socket) => number
}

const FAILED_SHARE = 0.05

/** Starts the receiver on a port of its own. */
export async function startReceiver({
  random,
  slowest_ms = 20,
  senderOf,
}: ReceiverOptions): Promise<Receiver> {
  const receipts: Receipt[] = []
  const faults: string[] = []
  const sockets = new Map<Socket, number>()
  let boot = 0
  let secret = ''
  let in_hand = 0
  let most_in_hand = 0

  function read(request: IncomingMessage, body: string, sender: number): Receipt {
    const event = verifyCallback(request.headers, body, secret)
    const webhook_id = String(request.headers['webhook-id'])
    const attempt = Number(request.headers['ringback-attempt'])
    if (event.id !== webhook_id) throw new Error(`The body of ${webhook_id} names event ${event.id}`)
    const { type, sequence, task_id, status, response, detail } = event
    return {
      type,
      sequence,
      task_id,
      status,
      response,
      detail,
      at: Date.now(),
      boot: sender,
      webhook_id,
      attempt,
      status_code: random() < FAILED_SHARE ? 500 : 200,
      digest: hash('sha1', body),
    }
  }

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    most_in_hand = Math.max(most_in_hand, ++in_hand)
    const sender = sockets.get(request.socket) ?? 0
    // A sender that dies amid its request has sent nothing.
    const body = await text(request).catch(() => undefined)
    if (body === undefined) {
      in_hand--
      return
    }
    let status_code = 400
    try {
      const receipt = read(request, body, sender)
      receipts.push(receipt)
      ;({ status_code } = receipt)
    } catch (error) {
      faults.push(`The receiver refuses a callback: ${String(error)}`)
    }
    await delay(between(random, 0, slowest_ms))
    // Before the answer, since the next request may be here right after it.
    in_hand--
    response.writeHead(status_code).end()
  }

  const server = createServer((request, response) => void receive(request, response))
  // A kept connection must not close under a request: the sender would rightly send it again.
  server.keepAliveTimeout = 600_000
  server.on('connection', (socket: Socket) => {
    sockets.set(socket, senderOf?.(socket) ?? boot)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port')

  return {
    url: `http://127.0.0.1:${address.port}/callbacks`,
    receipts,
    faults,
    mostInHand: () => most_in_hand,
    async nextBoot() {
      // Connections of the dead that nobody has accepted yet show up within a turn of the event loop.
      do await setImmediate()
      while (sockets.size > 0)
      return ++boot
    },
    trust(given) {
      secret = given
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
