// The least that is still an HTTP/1.1 server with keep-alive: it cuts what a socket brings into requests.
import type { Socket } from 'node:net'

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'

const HEAD_END = '\r\n\r\n'

/** Hands over each request of a connection; answering is up to the caller. */
export function readRequests(socket: Socket, onRequest: (head: string, body: string) => void): void {
  let rest = ''
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  socket.on('data', (chunk: string) => {
    rest += chunk
    for (;;) {
      const head_end = rest.indexOf(HEAD_END)
      if (head_end < 0) return
      const head = rest.slice(0, head_end)
      const body_at = head_end + HEAD_END.length
      const end = body_at + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
      if (rest.length < end) return
      const body = rest.slice(body_at, end)
      rest = rest.slice(end)
      onRequest(head, body)
    }
  })
}
