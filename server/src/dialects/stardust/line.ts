// One line of an import: a record, or what is wrong with it (contract §3.2). Records are kept as their own text; the first
// fault counts, and how far the line could be read decides who can be told of it.
import { isUtf8 } from 'node:buffer'
import { parseTarget } from '../../domain/destination.ts'
import { AppError } from '../../domain/errors.ts'
import { DEPTH_MAX, isTooDeep, compact, hasNul, members } from '../../domain/json.ts'

const attachmentTypes: readonly string[] = [
  'IMAGE',
  'IMAGE_SEQUENCE',
  'IMAGE_SET_SEQUENCE',
  'POINTCLOUD',
  'POINTCLOUD_SEQUENCE',
  'TEXT',
  'AUDIO',
  'VIDEO',
]
const LONGEST_IDENTIFIER = 255

/** Where a record names the URL of its callbacks. */
export const CALLBACK_FIELD = 'metadata.additionalInfo.callbackUrl'

/** What a line says, as far as it can be read; `record` and `info` (`metadata.additionalInfo`) are compact JSON. */
export type Line = {
  record: string
  /** The attachment type, or `task` where there is none that we know. */
  type: string
  info: string
  identifier: string | null
  /** Where its callbacks go; null without a URL that could be called. */
  callback_url: string | null
  /** Why it becomes no task, or null. */
  fault: string | null
}

const unreadable = (fault: string): Line => ({
  record: '{}',
  type: 'task',
  info: '{}',
  identifier: null,
  callback_url: null,
  fault,
})

/** A line that is longer than a record may be, in bytes. */
export const tooLong = (longest: number): Line =>
  unreadable(`The line is longer than ${longest} bytes, which no record may be`)

/** Reads a line. */
export function readLine(bytes: Buffer): Line {
  if (!isUtf8(bytes)) return unreadable('The line is not UTF-8')
  const text = bytes.toString().trim()
  try {
    JSON.parse(text)
  } catch (error) {
    return unreadable(`The line is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}`)
  }
  if (!text.startsWith('{')) return unreadable('The line must be a JSON object: one record')
  if (isTooDeep(text)) return unreadable(`The line is nested deeper than ${DEPTH_MAX} levels`)
  if (hasNul(text))
    return unreadable('The line has a text with NUL (\\u0000), which cannot be kept; remove it')
  const record = compact(text)
  const fields = members(record)
  const metadata = membersOf(fields.get('metadata'))
  const info = metadata.get('additionalInfo') ?? 'null'
  const type = textOf(fields.get('attachmentType'))
  const identifier = textOf(metadata.get('uniqueIdentifier'))
  const url = membersOf(info).get('callbackUrl') ?? 'null'
  const callback = readCallbackUrl(url)
  return {
    record,
    type: type !== null && attachmentTypes.includes(type) ? type : 'task',
    info: info === 'null' ? '{}' : info,
    identifier,
    callback_url: callback.url,
    fault:
      faultOf({ type, attachment: fields.get('attachment'), metadata: fields.get('metadata') }) ??
      identifierFault(identifier) ??
      (info === 'null' || info.startsWith('{') ? null : 'metadata.additionalInfo: must be an object') ??
      callback.fault,
  }
}

const membersOf = (text: string | undefined) =>
  text?.startsWith('{') ? members(text) : new Map<string, string>()

/** The text of a JSON string; null for anything else, and for what no database keeps. */
function textOf(json: string | undefined): string | null {
  if (json === undefined || !json.startsWith('"')) return null
  const text = JSON.parse(json) as string
  return text.isWellFormed() ? text : null
}

const EMPTY: ReadonlySet<string | undefined> = new Set([undefined, 'null', '""', '[]', '{}'])

function faultOf(given: {
  type: string | null
  attachment: string | undefined
  metadata: string | undefined
}) {
  if (given.type === null || !attachmentTypes.includes(given.type)) {
    return `attachmentType: must be one of ${attachmentTypes.join(', ')}`
  }
  if (EMPTY.has(given.attachment)) return 'attachment: missing; give what is to be labelled'
  if (!/^["[{]/.test(given.attachment ?? '')) return 'attachment: must be a string, an object or an array'
  if (given.metadata?.startsWith('{') !== true) return 'metadata: must be an object with a uniqueIdentifier'
  return null
}

function identifierFault(identifier: string | null): string | null {
  if (identifier === null || identifier === '') {
    return 'metadata.uniqueIdentifier: missing; give a string that is unique in the project'
  }
  return identifier.length > LONGEST_IDENTIFIER
    ? `metadata.uniqueIdentifier: longer than ${LONGEST_IDENTIFIER} characters`
    : null
}

// An empty string says what no URL at all says; the platform's own samples have such ones.
function readCallbackUrl(json: string): { url: string | null; fault: string | null } {
  if (json === 'null' || json === '""') return { url: null, fault: null }
  const url = textOf(json)
  if (url === null) return { url: null, fault: `${CALLBACK_FIELD}: must be a string` }
  try {
    if (parseTarget(url, CALLBACK_FIELD).kind === 'http') return { url, fault: null }
  } catch (error) {
    if (error instanceof AppError) return { url: null, fault: error.message }
    throw error
  }
  return { url: null, fault: `${CALLBACK_FIELD}: must be an http(s) URL` }
}
