// Sockets on which a test writes what no HTTP client would.
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Opens a connection that ends with the test. It stays open on this side when the server closes its own. */
export function openSocket(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

/** Reads until the server closes the connection, or until `enough` is there. */
export async function readSocket(socket: Socket, enough = /$^/): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let text = ''
  const onData = (chunk: Buffer) => {
    text += String(chunk)
    if (enough.test(text)) resolve()
  }
  socket.on('data', onData).once('end', resolve).once('close', resolve).resume()
  await promise
  socket.off('data', onData)
  return text
}

/** Sends a text and reads what comes back until the server closes the connection. */
export function exchange(t: TestContext, port: number, text: string | Buffer): Promise<string> {
  const socket = openSocket(t, port)
  socket.write(text)
  return readSocket(socket)
}
