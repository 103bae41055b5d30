// The receiver of the bench, in a process of its own. It notes when each callback arrived, in milliseconds of the machine's
// monotonic clock, which all processes share.
import { createServer, type Socket } from 'node:net'
import { milliseconds } from './figures.ts'
import { readRequests } from './http-requests.ts'

/** What arrived: the callback's id, the id of its task, and when. */
export type Arrival = { webhook_id: string; task_id: string; at: number }

export type SinkRequest =
  /** From now on answer this, and resolve `collect` when so many different callbacks have been accepted. */
  { kind: 'expect'; count: number; answer: string } | { kind: 'collect'; timeout_ms: number }
export type SinkAnswer =
  | { kind: 'listening'; port: number }
  | { kind: 'expecting' }
  | { kind: 'collected'; arrivals: Arrival[] }

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
  readRequests(socket, (head, body) => {
    note(head, body)
    socket.write(answer)
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
