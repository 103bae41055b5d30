// A client that writes bytes: no HTTP library would send most of this. It keeps its connection as long as the server does, and
// reads answers by their length, by their chunks, or to the end of the connection.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** What came back; `text` is the body. */
export type Answer = { status: number; headers: Map<string, string>; text: string }

export type Wire = {
  /**
   * Writes a request and reads its answer. Resolves with undefined when the server closed the connection without one, and with
   * `late` when there was none after `patience_ms`: the client has hung up then.
   */
  exchange(
    bytes: Buffer,
    options: { isHead: boolean; patience_ms: number },
  ): Promise<Answer | 'late' | undefined>
  /** Closes its connection; the next request opens another. */
  close(): void
}

const HEAD_END = '\r\n\r\n'

/** Makes a client of a server on this machine; it connects when it has something to write. */
export function createWire(port: number): Wire {
  let socket: Socket | undefined

  async function open(): Promise<Socket> {
    if (socket !== undefined && !socket.destroyed && socket.writable && !socket.readableEnded) return socket
    socket?.destroy()
    const fresh = connect({ port, host: '127.0.0.1', noDelay: true })
    fresh.on('error', () => {})
    await once(fresh, 'connect')
    return (socket = fresh)
  }

  return {
    async exchange(bytes, { isHead, patience_ms }) {
      const at = await open()
      const answer = await read(at, bytes, { isHead, patience_ms })
      const isKept = typeof answer === 'object' && answer.headers.get('connection') !== 'close'
      if (!isKept) at.destroy()
      return answer
    },
    close: () => void socket?.destroy(),
  }
}

/** Writes and reads on one connection. What stands behind the answer is an answer to nothing, and makes this reject. */
function read(
  socket: Socket,
  bytes: Buffer,
  { isHead, patience_ms }: { isHead: boolean; patience_ms: number },
): Promise<Answer | 'late' | undefined> {
  return new Promise((resolve) => {
    let heard = Buffer.alloc(0)
    const done = (answer: Answer | 'late' | undefined) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose).off('end', onClose)
      resolve(answer)
    }
    const onData = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk])
      const answer = parse(heard, { isHead, isOver: false })
      if (answer !== undefined) done(answer)
    }
    const onClose = () => done(parse(heard, { isHead, isOver: true }))
    const timer = setTimeout(() => {
      socket.destroy()
      done('late')
    }, patience_ms)
    socket.on('data', onData).on('close', onClose).on('end', onClose)
    socket.write(bytes)
  })
}

/** The answer at the front of these bytes; undefined as long as it is not whole. */
function parse(bytes: Buffer, { isHead, isOver }: { isHead: boolean; isOver: boolean }): Answer | undefined {
  const end = bytes.indexOf(HEAD_END)
  if (end === -1) return undefined
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(first.split(' ')[1])
  const rest = bytes.subarray(end + HEAD_END.length)
  if (status < 200) return parse(rest, { isHead, isOver })
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const body = isHead || status === 204 || status === 304 ? Buffer.alloc(0) : bodyOf(rest, headers, isOver)
  return body === undefined ? undefined : { status, headers, text: body.toString() }
}

function bodyOf(rest: Buffer, headers: Map<string, string>, isOver: boolean): Buffer | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return unchunked(rest)
  const length = headers.get('content-length')
  if (length === undefined) return isOver ? rest : undefined
  return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : undefined
}

function unchunked(rest: Buffer): Buffer | undefined {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const line = rest.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(rest.subarray(at, line).toString('latin1'), 16)
    const start = line + 2
    if (size === 0) return rest.length >= start + 2 ? Buffer.concat(chunks) : undefined
    if (rest.length < start + size + 2) return undefined
    chunks.push(rest.subarray(start, start + size))
    at = start + size + 2
  }
}
