// Signs callbacks as Standard Webhooks does (standardwebhooks.com, symmetric `v1`): HMAC-SHA256 over `id.timestamp.body`.
// The key is what follows `whsec_`, base64-decoded; using the secret's text as the key is the usual mistake.
//
// The default import is on purpose: bundlers for browsers replace node:crypto by an empty default export, so a page that
// only uses the client still builds.
import crypto from 'node:crypto'
import { VerificationError } from './errors.ts'

/**
 * Gives the value of `webhook-signature` for an event id, a Unix time in whole seconds and the exact bytes of a body:
 * one `v1,<base64>` per secret, separated by spaces. Throws a RangeError for a time that is not a whole number.
 */
export type Signer = (id: string, timestampS: number, body: string | Uint8Array) => string

/** The three headers of Standard Webhooks. */
export type WebhookHeaders = {
  'webhook-id': string
  'webhook-timestamp': string
  'webhook-signature': string
}

/**
 * Makes a signer from one `whsec_…` secret, or from several while a rotated one is in its grace time, the newest first.
 * The keys are decoded once, here: keep the signer. Throws `malformed_secret`.
 */
export function createSigner(secrets: string | readonly string[]): Signer {
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).map(parseSecret)
  if (keys.length === 0) throw new VerificationError('malformed_secret', 'There is no signing secret')
  return (id, timestampS, body) => {
    if (!Number.isSafeInteger(timestampS)) throw new RangeError('timestampS: pass Unix time in whole seconds')
    const prefix = `${id}.${timestampS}.`
    return keys.map((key) => signWith(key, prefix, body)).join(' ')
  }
}

/** Signs once: `v1,<base64>`. Whoever signs more than once keeps a `createSigner` instead. Throws `malformed_secret`. */
export function sign(secret: string, id: string, timestampS: number, body: string | Uint8Array): string {
  return createSigner(secret)(id, timestampS, body)
}

/** Gives the headers of one attempt; the time is that of the attempt, since receivers refuse one older than 5 minutes. */
export function webhookHeaders(
  signer: Signer,
  id: string,
  timestampS: number,
  body: string | Uint8Array,
): WebhookHeaders {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signer(id, timestampS, body),
  }
}

// Measured with a 1 KB body on Node 26: 2.0 µs as here; 2.5 µs with the raw key and one joined string; 2.5 µs copying a
// prepared Hash; 1.9 µs building the HMAC from two crypto.hash calls, not worth code of our own.
function signWith(key: crypto.KeyObject, prefix: string, body: string | Uint8Array): string {
  return `v1,${crypto.createHmac('sha256', key).update(prefix).update(body).digest('base64')}`
}

const SECRET_PREFIX = 'whsec_'

// The least number of bytes that the Standard Webhooks specification allows: a shorter one was cut on its way here.
const SECRET_BYTES_MIN = 24

// The messages never show the secret: they end in logs.
function parseSecret(secret: string): crypto.KeyObject {
  if (!secret.startsWith(SECRET_PREFIX)) {
    throw new VerificationError(
      'malformed_secret',
      'A signing secret starts with whsec_; this is another key',
    )
  }
  const text = secret.slice(SECRET_PREFIX.length)
  const bytes = Buffer.from(text, 'base64')
  // Buffer skips what is not base64 instead of failing, so only the way back shows that nothing was skipped.
  if (bytes.toString('base64') !== text) {
    throw new VerificationError(
      'malformed_secret',
      'The signing secret is not base64 (with its =) after whsec_',
    )
  }
  if (bytes.length < SECRET_BYTES_MIN) {
    throw new VerificationError(
      'malformed_secret',
      `The signing secret has fewer than ${SECRET_BYTES_MIN} bytes`,
    )
  }
  return crypto.createSecretKey(bytes)
}
