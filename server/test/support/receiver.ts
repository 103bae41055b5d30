// Receivers for tests of the sending edge: real servers on 127.0.0.1, well-behaved (HTTP) or not (raw TCP).
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'

export type Receiver = AsyncDisposable & {
  port: number
  /** Without a path: `http://127.0.0.1:<port>`. */
  url: string
  /** Connections accepted so far, open or closed. */
  connections: Socket[]
}

async function listen(server: Server): Promise<Receiver> {
  const connections: Socket[] = []
  server.on('connection', (socket: Socket) => {
    connections.push(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Starts an HTTP receiver; the handler gets each request with its body read. */
export function startReceiver(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<Receiver> {
  const server = createHttpServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (body += text))
    request.on('end', () => handle(request, response, body))
  })
  // Told to the sender in a header, which must not differ between versions of Node.
  server.keepAliveTimeout = 7000
  return listen(server)
}

/**
 * Starts a receiver that speaks raw TCP. `handle` is called for every request, which must end with the packet it came in
 * (that is: be small), with the connection and the number of the request on it, from 1.
 */
export function startRawReceiver(handle: (socket: Socket, request: number) => void): Promise<Receiver> {
  return listen(
    createTcpServer((socket) => {
      let count = 0
      socket.on('data', () => handle(socket, ++count))
    }),
  )
}

/** Starts a receiver whose answer, after its head, has no end; `closed` resolves when the other side has hung up. */
export async function startEndlessReceiver(): Promise<Receiver & { closed: Promise<void> }> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const receiver = await startRawReceiver((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const more = () => {
      while (socket.writable && socket.write('x'.repeat(1000)));
    }
    socket.on('drain', more).on('close', resolve)
    more()
  })
  return Object.assign(receiver, { closed })
}
