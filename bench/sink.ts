// The receiver of the bench, in a process of its own: the least that is still HTTP/1.1 with keep-alive. It notes when each
// callback arrived, in milliseconds of the machine's monotonic clock, which all processes share.
import { createServer, type Socket } from 'node:net'
import { milliseconds } from './figures.ts'

/** What arrived: the callback's id, the id of its task, and when. */
export type Arrival = { webhook_id: string; task_id: string; at: number }

export type SinkRequest =
  /** From now on answer this, and resolve `collect` when so many different callbacks have been accepted. */
  { kind: 'expect'; count: number; answer: string } | { kind: 'collect'; timeout_ms: number }
export type SinkAnswer =
  | { kind: 'listening'; port: number }
  | { kind: 'expecting' }
  | { kind: 'collected'; arrivals: Arrival[] }

const HEAD_END = '\r\n\r\n'

let answer = ''
let expected = 0
let arrivals: Arrival[] = []
let distinct = new Set<string>()
let onComplete: (() => void) | undefined

const tell = (message: SinkAnswer) => process.send?.(message)

function note(head: string, body: string): void {
  const webhook_id = /^webhook-id: *(\S+)/im.exec(head)?.[1] ?? ''
  const from = body.indexOf('"task_id":"') + 11
  arrivals.push({ webhook_id, task_id: body.slice(from, body.indexOf('"', from)), at: milliseconds() })
  distinct.add(webhook_id)
  if (distinct.size >= expected) onComplete?.()
}

function serve(socket: Socket): void {
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
      note(head, rest.slice(body_at, end))
      rest = rest.slice(end)
      socket.write(answer)
    }
  })
}

process.on('message', (request: SinkRequest) => {
  if (request.kind === 'expect') {
    ;({ answer, count: expected } = request)
    arrivals = []
    distinct = new Set()
    tell({ kind: 'expecting' })
    return
  }
  const finish = () => {
    clearTimeout(timer)
    onComplete = undefined
    tell({ kind: 'collected', arrivals })
  }
  const timer = setTimeout(finish, request.timeout_ms)
  onComplete = finish
  if (distinct.size >= expected) finish()
})
process.on('disconnect', () => process.exit(0))

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  const address = server.address()
  tell({ kind: 'listening', port: typeof address === 'object' ? (address?.port ?? 0) : 0 })
})
