// A customer of Stardust: signs requests as its documentation says, serves the files that it sends, and checks callbacks as
// receivers are told to. Nothing here is taken from the dialect's own code.
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { startPlatform, type Received } from '../support/platform.ts'
import { jsonLines, md5, signed, type AccessKey } from './stardust-writing.ts'

// The status of a batch that is done.
const FINISHED = 3

/** An answer's envelope. */
export type Envelope<T = unknown> = {
  code: number
  message: string
  data: T
  date: string
  requestId: string
  success: boolean
}

/** What `task/send/status` tells of a batch. */
export type Batch = {
  batchId: string
  jsonlName: string
  taskCount: number
  importFailCount: number
  status: number
  errors: { uniqueIdentifier: string | null; jsonLine: string | null; error: string }[]
}

/** A task object, as far as tests look at it. */
export type TaskObject = {
  taskId: string
  status: number | string
  qualityStatus: string | null
  auditStatus: string | null
  result: unknown
  taskParams: { record: unknown; operators: unknown[] }
  errorMessage: { message?: string }
  callback_succeeded?: boolean
}

/** Fails unless a callback carries the signature of this AccessKey, made within five minutes. */
export function assertSigned({ headers, at }: Received, { id, secret }: AccessKey): void {
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['x-stardust-key'], id)
  const ts = String(headers['x-ts'])
  assert.match(ts, /^\d{13}$/)
  assert.ok(Math.abs(at - Number(ts)) <= 300_000, `signed at ${ts}, received at ${at}`)
  assert.equal(headers['x-sign'], md5(`${ts}&${secret}&${id}`))
}

export type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** Starts a server of files on loopback. What a path answers is set by `put`; it may hang or never end. */
export async function startFiles(t: TestContext) {
  const files = new Map<string, Serve>()
  const server = createServer((request, response) => {
    const serve = files.get(request.url ?? '')
    if (serve !== undefined) return serve(request, response)
    response.statusCode = 404
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    /** Makes a path answer with this; gives its URL. */
    put(path: string, content: string | Buffer | Serve): string {
      files.set(path, typeof content === 'function' ? content : (_, response) => response.end(content))
      return `http://127.0.0.1:${port}${path}`
    },
  }
}

/** Starts a platform with one customer. */
export async function startStardust(t: TestContext) {
  const platform = await startPlatform(t, 'stardust')
  const files = await startFiles(t)
  const shown = platform.credentials as unknown as Record<string, string>
  const key: AccessKey = { id: shown['access_key_id'] ?? '', secret: shown['access_key_secret'] ?? '' }

  /** A signed POST. */
  const answerOf = (path: string, json?: unknown, by = key) =>
    platform.request('POST', `/stardust/rosetta-open${path}`, {
      headers: signed(by, platform.clock.now()),
      json,
    })

  /** A signed POST; gives the envelope. */
  const post = async <T>(path: string, json?: unknown, by = key): Promise<Envelope<T>> =>
    (await answerOf(path, json, by)).body as unknown as Envelope<T>

  /** Sends a file, and gives what became of it. The clock moves only when the file is to be asked for again. */
  async function importFile(resourceUrl: string, projectId = 3184): Promise<Batch> {
    const sent = await post<{ importStatus: number; batchId: string }>('/task/send', {
      projectId,
      resourceUrl,
    })
    assert.deepEqual([sent.code, sent.data.importStatus], [200, 1])
    const { batchId } = sent.data
    const scope = { project_id: platform.project.id, mode: 'live' as const }
    for (let failures = 0; ;) {
      const { data } = await post<Batch>('/task/send/status', { batchId })
      if (data.status === FINISHED) return data
      const record = await platform.store.findRecord(scope, 'import', batchId)
      const { fetch_failures } = JSON.parse(record!.body) as { fetch_failures: number }
      if (fetch_failures > failures) platform.clock.advanceTo(record!.due_at!)
      failures = fetch_failures
    }
  }

  /** Imports one record, and gives the number of its task. */
  async function importRecord(record: unknown): Promise<string> {
    const { errors } = await importFile(files.put('/one.jsonl', jsonLines([record])))
    assert.deepEqual(errors, [])
    const { data } = await post<{ data: { id: string }[] }>('/project/tasks', { projectId: 3184, limit: 1 })
    return data.data[0]?.id ?? ''
  }

  return { ...platform, files, key, answerOf, post, importFile, importRecord }
}
