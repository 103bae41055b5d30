// What a create request asks for (contract §1.3), read and judged before it is taken. The inputs themselves are judged later,
// one by one, since a bad one is the batch's affair and no refusal.
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { elements, members, print, verbatim, Verbatim } from '../../domain/json.ts'
import { judgeCallbackUrl, type Judge } from '../callback-url.ts'
import { booleanOf, type Query } from './filter.ts'
import { bodyOf, tagsOf } from './request.ts'

/** A batch that jobs are still made of. `metadata` is one JSON object for all of them, or an array with one for each. */
export type NewBatch = {
  app: string
  callback_url: string | null
  metadata: string | null
  tags: readonly string[]
  /** Whether its jobs wait until they are queued by hand. */
  parked: boolean
  /** JSON texts; null while they are still in the file. */
  inputs: readonly string[] | null
  file_url: string | null
  /** How often the file could not be read. */
  failures: number
}

/** Reads a create request. Throws `invalid_request`, `invalid_callback_url` and `destination_forbidden`. */
export async function readNewBatch(judge: Judge, app: string, request: FastifyRequest): Promise<NewBatch> {
  const { values, texts } = bodyOf(request)
  const inputs = inputsOf(values['inputs'], texts.get('inputs'))
  const file_url = textOf(values, 'inputsFileUrl')
  if ((inputs === null) === (file_url === null)) {
    throw new AppError('invalid_request', 'inputs, inputsFileUrl: give one of them')
  }
  if (file_url !== null) await judgeFileUrl(judge, file_url)
  const callback_url = textOf(values, 'callbackUrl')
  if (callback_url !== null) {
    const isLenient = booleanOf(request.query as Query, 'lenientCallbackUrl') ?? false
    await judgeJobUrl(judge, callback_url, isLenient)
  }
  return {
    app,
    callback_url,
    metadata: metadataOf(values['metadata'], texts.get('metadata'), inputs),
    tags: tagsOf(values['tags'] ?? []),
    parked: flagOf(values, 'pending'),
    inputs,
    file_url,
    failures: 0,
  }
}

function inputsOf(value: unknown, text: string | undefined): string[] | null {
  if (value === undefined || value === null) return null
  if (Array.isArray(value) && value.length > 0) return elements(text ?? '[]')
  throw new AppError('invalid_request', 'inputs: give an array with an object for each job')
}

function metadataOf(value: unknown, text: string | undefined, inputs: string[] | null): string | null {
  if (value === undefined || value === null || text === undefined) return null
  if (typeof value !== 'object') {
    throw new AppError('invalid_request', 'metadata: give an object, or an array with one for each input')
  }
  const fault = Array.isArray(value) ? metadataFault(value, inputs) : undefined
  if (fault !== undefined) throw new AppError('invalid_request', fault)
  return text
}

/** What is wrong with a list of metadata for these inputs; undefined when nothing is, as far as is known. */
export function metadataFault(list: unknown[], inputs: readonly string[] | null): string | undefined {
  if (list.some((one) => typeof one !== 'object' || Array.isArray(one))) {
    return 'metadata: an array must have nothing but objects and null'
  }
  return inputs === null || list.length === inputs.length
    ? undefined
    : `metadata: an array must be as long as the inputs, ${inputs.length} and not ${list.length}`
}

async function judgeFileUrl(judge: Judge, url: string): Promise<void> {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new AppError('invalid_request', 'inputsFileUrl: give an http or https URL')
  }
  await judgeCallbackUrl(judge, url, 'inputsFileUrl')
}

// A slash at the very end also says that there is neither query nor fragment (contract §3.1, §6.5).
async function judgeJobUrl(judge: Judge, url: string, isLenient: boolean): Promise<void> {
  const isQualified = /^https?:\/\/[^/?#]/i.test(url)
  const { search, hash } = URL.canParse(url) ? new URL(url) : { search: '', hash: '' }
  if (!isQualified || (!isLenient && (!url.endsWith('/') || search !== '' || hash !== ''))) {
    throw new AppError(
      'invalid_callback_url',
      'callbackUrl: give an http or https URL with a host that ends with /, without a query and a fragment',
    )
  }
  await judgeCallbackUrl(judge, url, 'callbackUrl')
}

function textOf(values: Record<string, unknown>, name: string): string | null {
  const value = values[name] ?? null
  if (value === null || typeof value === 'string') return value
  throw new AppError('invalid_request', `${name}: give a text`)
}

function flagOf(values: Record<string, unknown>, name: string): boolean {
  const value = values[name] ?? false
  if (typeof value === 'boolean') return value
  throw new AppError('invalid_request', `${name}: give true or false`)
}

/** Prints a batch for its record. */
export const printNewBatch = ({ metadata, inputs, ...rest }: NewBatch): string =>
  print({
    ...rest,
    metadata: verbatim(metadata),
    inputs: inputs === null ? null : new Verbatim(`[${inputs.join(',')}]`),
  })

/** Reads the body of a batch's record. */
export function parseNewBatch(body: string): NewBatch {
  const texts = members(body)
  const given = (name: string) => {
    const text = texts.get(name) ?? 'null'
    return text === 'null' ? null : text
  }
  const inputs = given('inputs')
  const parsed = (name: string): unknown => JSON.parse(texts.get(name) ?? 'null')
  return {
    app: parsed('app') as string,
    callback_url: parsed('callback_url') as string | null,
    metadata: given('metadata'),
    tags: parsed('tags') as string[],
    parked: parsed('parked') as boolean,
    inputs: inputs === null ? null : elements(inputs),
    file_url: parsed('file_url') as string | null,
    failures: parsed('failures') as number,
  }
}
