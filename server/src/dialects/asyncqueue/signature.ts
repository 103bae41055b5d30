// Signatures of task calls and completion webhooks (contract §4.3). Receivers split the header at commas and take `t` first, so
// that its order and its lack of spaces are part of the contract.
import { createHmac } from 'node:crypto'
import type { Mode } from '../../domain/project.ts'
import type { AttemptContext } from '../dialect.ts'
import { heldSecrets } from '../held-secrets.ts'

/** Signs a body at a time in seconds. The key is the secret's text as it stands, `whsec_` included. */
export const sign = (secret: string, timestamp_s: number, body: string): string =>
  createHmac('sha256', secret).update(`${timestamp_s}.${body}`).digest('hex')

/** The header of a request, made for the time of its attempt; no body is signed as an empty one. */
export function signatureHeader(
  { mode, body }: { mode: Mode; body: string | null },
  { secrets, now }: Pick<AttemptContext, 'secrets' | 'now'>,
): Record<string, string> {
  // There is room for one signature, and receivers know one secret: the oldest, until its grace is over.
  const secret = heldSecrets(secrets, { kind: 'signing', mode, now }).at(-1)
  if (secret === undefined) throw new Error('The project has no webhook secret to sign with')
  const timestamp_s = Math.floor(now / 1000)
  return { 'x-asyncqueue-signature': `t=${timestamp_s},v1=${sign(secret, timestamp_s, body ?? '')}` }
}
