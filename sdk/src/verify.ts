// Decides whether a callback is genuine. It needs the body's raw bytes as they arrived: JSON that was parsed and written
// again has other bytes, and no signature will match.
import crypto from 'node:crypto'
import type { CallbackEvent } from './contract.ts'
import { VerificationError } from './errors.ts'
import { createSigner } from './signature.ts'

/** Headers in any usual form: a Fetch `Headers`, a Map, an array of pairs, or the object of node:http. Case is ignored. */
export type HeadersLike =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

/** How far `webhook-timestamp` may be from the clock (seconds, 300 by default), and the clock (Unix milliseconds). */
export type VerifyOptions = { toleranceS?: number; now?: () => number }

/** Checks one callback and gives its event; throws a VerificationError whose `code` says why not. */
export type Verifier = (headers: HeadersLike, rawBody: string | Uint8Array) => CallbackEvent

/**
 * Makes a verifier from one `whsec_…` secret, or from several of which any may match (old and new while a rotation lasts).
 * The keys are decoded once, here. Throws `malformed_secret`.
 */
export function createVerifier(
  secrets: string | readonly string[],
  { toleranceS = 300, now = Date.now }: VerifyOptions = {},
): Verifier {
  const signer = createSigner(secrets)
  return (headers, rawBody) => {
    const { id, timestamp, signatures } = readHeaders(headers)
    const timestampS = checkTimestamp(timestamp, Math.floor(now() / 1000), toleranceS)
    const expected = signer(id, timestampS, rawBody).split(' ')
    if (!expected.some((one) => signatures.some((other) => sameText(one, other)))) {
      throw new VerificationError(
        'no_matching_signature',
        'No signature matches: the secret is another one, or the body is not byte for byte what was sent',
      )
    }
    return parseEvent(rawBody)
  }
}

/** Verifies a single callback; a server that expects more of them keeps a `createVerifier`. Throws a VerificationError. */
export function verifyCallback(
  headers: HeadersLike,
  rawBody: string | Uint8Array,
  secrets: string | readonly string[],
  options: VerifyOptions = {},
): CallbackEvent {
  return createVerifier(secrets, options)(headers, rawBody)
}

function readHeaders(headers: HeadersLike): { id: string; timestamp: string; signatures: string[] } {
  const found = new Map<string, string>()
  for (const [name, value] of Symbol.iterator in headers ? headers : Object.entries(headers)) {
    if (value !== undefined)
      found.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(' '))
  }
  const read = (name: string) => {
    const value = found.get(name)
    if (!value) throw new VerificationError('missing_header', `The header ${name} is missing`)
    return value
  }
  return {
    id: read('webhook-id'),
    timestamp: read('webhook-timestamp'),
    signatures: read('webhook-signature').split(' '),
  }
}

function checkTimestamp(timestamp: string, nowS: number, toleranceS: number): number {
  // Without leading zeros or signs: the signed text is rebuilt from the number and must be the one received.
  if (!/^[1-9]\d{0,14}$/.test(timestamp)) {
    throw new VerificationError('bad_timestamp', 'webhook-timestamp is not a Unix time in seconds')
  }
  const timestampS = Number(timestamp)
  if (nowS - timestampS > toleranceS) {
    throw new VerificationError('too_old', `webhook-timestamp is more than ${toleranceS} s in the past`)
  }
  if (timestampS - nowS > toleranceS) {
    throw new VerificationError('too_new', `webhook-timestamp is more than ${toleranceS} s in the future`)
  }
  return timestampS
}

// The texts are compared, not the decoded bytes: base64 of 32 bytes has two spare bits, so four texts decode alike.
function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && crypto.timingSafeEqual(a, b)
}

function parseEvent(rawBody: string | Uint8Array): CallbackEvent {
  const event = parseJson(typeof rawBody === 'string' ? rawBody : new TextDecoder().decode(rawBody))
  if (!isCallbackEvent(event)) {
    throw new VerificationError('invalid_json', 'The body is signed and JSON, but it is no Ringback event')
  }
  return event
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new VerificationError('invalid_json', 'The body is signed, but it is not JSON')
  }
}

// Only what tells an event from other JSON: the signature vouches for the rest.
function isCallbackEvent(value: unknown): value is CallbackEvent {
  if (typeof value !== 'object' || value === null) return false
  return ['id', 'type', 'task_id'].every((name) => typeof Reflect.get(value, name) === 'string')
}
