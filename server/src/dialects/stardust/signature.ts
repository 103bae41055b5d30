// Signed requests (contract §2). The signature covers neither path nor body: it proves that its maker knew the secret within
// the time window, no more, so only TLS protects what is asked for. Callbacks carry the same three headers.
import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { findCustomer } from '../caller.ts'
import { keyHash } from '../credentials.ts'
import type { FrontDeps } from '../front.ts'
import { heldSecrets } from '../held-secrets.ts'
import { signatureExpired, wrongSignature } from './envelope.ts'

/** The signature of a time (milliseconds, as text) by an AccessKey: lower-case hex MD5. */
export const sign = (ts: string, { id, secret }: { id: string; secret: string }): string =>
  hash('md5', `${ts}&${secret}&${id}`)

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** The AccessKey id that a request names. Throws `unauthorized` for a request without one. */
export const accessKeyOf = (request: FastifyRequest): string => headerOf(request, 'X-STARDUST-KEY')

function headerOf({ headers }: FastifyRequest, name: string): string {
  const value = headers[name.toLowerCase()]
  if (typeof value === 'string' && value !== '') return value
  throw new AppError(
    'unauthorized',
    `${name}: missing; send X-STARDUST-KEY, X-TS and X-SIGN with each request`,
  )
}

/** Makes the hook that finds the caller of a signed request, before anything of its body is read. */
export function createSignatureAuth(
  deps: Pick<FrontDeps, 'directory' | 'guesses' | 'store'>,
  { window_ms }: { window_ms: number },
): onRequestAsyncHookHandler {
  const { store, guesses } = deps
  // The id alone is no secret, since callbacks carry it: it has worked when its signature has.
  const keys = { ...deps, guesses: { ...guesses, right() {} } }
  return async (request) => {
    const id = accessKeyOf(request)
    const ts = headerOf(request, 'X-TS')
    const given = headerOf(request, 'X-SIGN')
    if (!/^\d{1,15}$/.test(ts)) {
      throw new AppError('unauthorized', 'X-TS: not a time in whole milliseconds since 1970')
    }
    const caller = await findCustomer(keys, request, 'stardust', id)
    if (caller === undefined) {
      throw new AppError('unauthorized', 'X-STARDUST-KEY: no AccessKey has this id, or it was revoked')
    }
    const now = store.now()
    const { project_id, mode } = caller.scope
    // More than one while a rotated secret has its grace.
    const secrets = heldSecrets(await store.secrets(project_id), { kind: 'signing', mode, now })
    const matches = secrets.map((secret) => isSame(given, sign(ts, { id, secret })))
    if (!matches.includes(true)) {
      guesses.forged(request)
      throw wrongSignature(
        'X-SIGN: not the lower-case hex MD5 of <X-TS>&<AccessKey secret>&<AccessKey id> with the secret of this AccessKey',
      )
    }
    const off_ms = now - Number(ts)
    if (Math.abs(off_ms) > window_ms) {
      const side = off_ms > 0 ? 'behind' : 'ahead of'
      throw signatureExpired(
        `X-TS: ${Math.round(Math.abs(off_ms) / 1000)} s ${side} the server's clock; sign each request anew with the present time`,
      )
    }
    guesses.right(keyHash(id))
    request.caller = caller
  }
}
