// Puts a Fetch-style receiver behind node:http (and Express, as long as no body parser comes first). The body is streamed,
// so that the receiver's own bound holds; Readable.toWeb is no help here, since cancelling it kills the socket that still
// has to carry the 413.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BODY_ALREADY_READ, refuse } from './receiver.ts'
import type { Receiver } from './receiver.ts'

/** Makes a request listener: `http.createServer(toNodeListener(receiver))`, or `app.post('/hook', toNodeListener(receiver))`. */
export function toNodeListener(receiver: Receiver): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    void answer(receiver, req)
      .catch(() => refuse(500, 'receiver_failed', 'The receiver failed'))
      .then((response) => send(response, res))
  }
}

async function answer(receiver: Receiver, req: IncomingMessage): Promise<Response> {
  if (req.readableEnded) return refuse(500, 'body_already_read', BODY_ALREADY_READ)
  return receiver(toRequest(req))
}

function toRequest(req: IncomingMessage): Request {
  const { method = 'GET' } = req
  const path = req.url?.startsWith('/') ? req.url : '/'
  // The Host header is the sender's own word and may not even parse; nothing here looks at it.
  return new Request(`http://localhost${path}`, {
    method,
    headers: toHeaders(req),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: toStream(req), duplex: 'half' as const }),
  })
}

function toHeaders(req: IncomingMessage): Headers {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(req.headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  return headers
}

function toStream(req: IncomingMessage): ReadableStream<Uint8Array> {
  let isCanceled = false
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      req.on('data', (chunk: Uint8Array) => {
        if (isCanceled) return
        controller.enqueue(chunk)
        if ((controller.desiredSize ?? 0) <= 0) req.pause()
      })
      req.once('end', () => {
        if (!isCanceled) controller.close()
      })
      // A connection that closes early is an error too: "aborted".
      req.once('error', (error) => {
        if (!isCanceled) controller.error(error)
      })
    },
    pull: () => {
      req.resume()
    },
    // The rest is read and dropped: closing the socket on a sender that still writes would lose the answer.
    cancel: () => {
      isCanceled = true
      req.resume()
    },
  })
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  const body = await response.text()
  res.writeHead(response.status, Object.fromEntries(response.headers))
  res.end(body)
}
