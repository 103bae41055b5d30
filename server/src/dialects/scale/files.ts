// Files that customers upload for their tasks (contract §2.5): small ones, kept in the database for as long as settled tasks are.
// Who works on a task reads them with an operator key. A file by URL is left where it is.
import type { FastifyReply } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import type { Printable } from '../../domain/json.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { answering, type Request } from './answer.ts'
import { bodyOf, invalid, nameField, urlField } from './fields.ts'
import { scaleId } from './id.ts'
import { projectOf } from './project.ts'
import { newRecord, recordOf } from './record.ts'

const DAY_MS = 86_400_000

/** The body of a file's record; `data` is base64. */
type StoredFile = { name: string; type: string; data: string }

type Upload = { file: StoredFile | null; values: Record<string, unknown> }

/** Makes the routes under /v1/files. */
export function fileRoutes(deps: FrontDeps) {
  const { store, newId, config } = deps

  async function checkProject(request: Request, values: Upload['values']): Promise<void> {
    const project = nameField({ values }, 'project_name')
    if (project !== null) await projectOf(store, callerOf(request).scope, project)
  }

  async function download(request: Request, reply: FastifyReply): Promise<Buffer> {
    const { id } = request.params
    const record = await recordOf(store, callerOf(request).scope, 'file', id)
    return sendFile(reply, JSON.parse(record.body) as StoredFile)
  }

  return {
    upload: answering(async (request): Promise<Printable> => {
      const { file, values } = await readUpload(request)
      if (file === null) throw invalid('file', 'required, but missing')
      await checkProject(request, values)
      const { scope, project } = callerOf(request)
      const id = scaleId(newId())
      const now = store.now()
      const expires_at = now + project.settings.retention_days * DAY_MS
      const body = JSON.stringify(file)
      await store.insertRecord(newRecord(scope, 'file', id, { body, now, expires_at }))
      return { id, attachment_url: `${config.public_url}/scale/v1/files/${id}` }
    }),
    import: answering(async (request): Promise<Printable> => {
      const body = bodyOf(request)
      const file_url = urlField(body, 'file_url')
      if (file_url === null) throw invalid('file_url', 'required, but missing')
      if (!/^https?:\/\//i.test(file_url) || !URL.canParse(file_url))
        throw invalid('file_url', 'must be an http or https URL')
      await checkProject(request, body.values)
      return { id: scaleId(newId()), attachment_url: file_url }
    }),
    download,
  }
}

/** Reads a multipart body; of several files the first counts. Throws `body_too_large`. */
async function readUpload(request: Request): Promise<Upload> {
  const upload: Upload = { file: null, values: {} }
  if (!request.isMultipart()) throw invalid('body', 'must be multipart/form-data with a file')
  try {
    for await (const part of request.parts()) {
      if (part.type === 'field') upload.values[part.fieldname] = part.value
      else {
        const data = (await part.toBuffer()).toString('base64')
        upload.file ??= { name: part.filename, type: part.mimetype, data }
      }
    }
  } catch (error) {
    const { statusCode } = error as { statusCode?: number }
    if (statusCode !== 413) throw invalid('body', 'is no complete multipart/form-data')
    throw new AppError('body_too_large', 'The upload is too large; import the file by its URL instead')
  }
  return upload
}

/** Answers with a file as what it is: something of a stranger's, to be saved and never to be run by a browser. */
function sendFile(reply: FastifyReply, { name, type, data }: StoredFile): Buffer {
  reply
    .header('content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`)
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
    .type(/^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream')
  return Buffer.from(data, 'base64')
}
