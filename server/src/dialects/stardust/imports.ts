// Tasks come in by files: `task/send` names one and answers at once, `task/send/status` tells what became of it
// (contract §3.1). The file is read by the work in import.ts.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import type { FrontDeps } from '../front.ts'
import { callerOf } from '../caller.ts'
import { judgeCallbackUrl } from '../callback-url.ts'
import { illegalParameter } from './envelope.ts'
import { fieldsOf, requiredId, requiredText } from './fields.ts'
import { batchIdAt } from './ids.ts'
import { IMPORT, newImport, presentImport, printImport, readImport } from './import-state.ts'
import { answer } from './answer.ts'
import { accessKeyOf } from './signature.ts'

/** Makes the routes of imports. */
export function importRoutes(deps: FrontDeps) {
  const { store } = deps
  async function send(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const { scope } = callerOf(request)
    const fields = fieldsOf(request)
    const project_id = requiredId(fields, 'projectId')
    const url = requiredText(fields, 'resourceUrl')
    if (!/^https?:/i.test(url))
      throw illegalParameter('resourceUrl: must be an http(s) URL of a JSON-lines file')
    await judgeCallbackUrl(deps, url, 'resourceUrl')
    const state = newImport({ project_id, url, access_key: accessKeyOf(request) })
    const now = store.now()
    const row = {
      ...scope,
      kind: IMPORT,
      created_at: now,
      updated_at: now,
      due_at: now,
      expires_at: null,
      version: 1,
    }
    // A batch has its millisecond to itself.
    for (let time_ms = now; ; time_ms++) {
      const key = batchIdAt(time_ms)
      const { kind } = await store.insertRecord({ ...row, key, body: printImport(state) })
      if (kind === 'created') return answer(reply, { importStatus: state.status, batchId: key })
    }
  }

  async function status(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const batch_id = requiredId(fieldsOf(request), 'batchId')
    const record = await store.findRecord(callerOf(request).scope, IMPORT, batch_id)
    if (record === undefined) throw new AppError('not_found', `batchId: there is no batch ${batch_id}`)
    return answer(reply, presentImport(batch_id, readImport(record.body)))
  }

  return { send, status }
}
