// The native dialect's callbacks (native contract §4): Standard Webhooks signatures, 20 retries in 24 hours. The body is
// frozen with the event; only the headers are made anew for each attempt, since a signature carries its time.
import { createSigner, type Signer } from '@ringback/sdk'
import type { RetryPolicy } from '../../domain/delivery.ts'
import { print, verbatim } from '../../domain/json.ts'
import type { Outcome } from '../../domain/outcome.ts'
import { isHolding, type Secret, type SecretKind } from '../../domain/project.ts'
import { waits } from '../../domain/retry.ts'
import { isoTime } from '../../domain/time.ts'
import type { Ready } from '../../store/store.ts'
import type { Dialect } from '../dialect.ts'
import { mailHeaders } from '../mail-headers.ts'
import { presentTask } from './present.ts'

// What is kept is cheap to make again; the bound is only there because projects may be many and their rules may change.
const CACHE_LIMIT = 1000
const SIGNING_BYTES = 32

/** 410 Gone is a receiver's wish to hear no more of this; everything else may get better. */
const retryable = (outcome: Outcome) => outcome.status !== 410

/** Makes the native dialect; `version` is told in `user-agent`. */
export function createNative({ version }: { version: string }): Dialect {
  const signers = new Map<string, Signer>()
  const policies = new Map<string, RetryPolicy>()
  const userAgent = `Ringback/${version}`

  return {
    name: 'native',
    credentials: {
      key_prefix: { live: 'rb_live_', test: 'rb_test_' },
      auth_prefix: { live: 'rb_auth_live_', test: 'rb_auth_test_' },
      signingSecret: (randomBytes) => `whsec_${randomBytes(SIGNING_BYTES).toString('base64')}`,
    },
    settings: {},
    front: null,
    // `detail` is an object with the reason, or the verdict and comments, of the event, or null.
    callback: (event, task) =>
      print({
        id: event.id,
        type: event.type,
        timestamp: isoTime(event.created_at),
        sequence: event.sequence,
        task_id: task.id,
        status: task.status,
        response: verbatim(task.response),
        detail: verbatim(event.detail),
        task: presentTask(task),
      }),
    headers(ready, { secrets, attempt, now }) {
      const signing = holding(secrets, 'signing', ready, now)
      const signer = cached(signers, signing.join(' '), () => createSigner(signing))
      const timestamp_s = Math.floor(now / 1000)
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        'user-agent': userAgent,
        'webhook-id': ready.event_id,
        'webhook-timestamp': String(timestamp_s),
        'webhook-signature': signer(ready.event_id, timestamp_s, ready.body),
        'ringback-attempt': String(attempt),
      }
      // A header has one value, and a receiver that compares it knows one: the oldest, until its grace is over.
      const auth = holding(secrets, 'callback_auth', ready, now).at(-1)
      if (auth !== undefined) headers['ringback-callback-auth'] = auth
      if (ready.resend === 1) headers['ringback-resend'] = '1'
      return headers
    },
    mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: ready.task_id, attempt }),
    policy({ settings: { retry, timeout_ms } }) {
      return cached(policies, `${retry.retries}/${retry.window_s}/${timeout_ms}`, () => {
        const window_ms = retry.window_s * 1000
        return { waits: waits({ retries: retry.retries, window_ms }), retryable, timeout_ms, window_ms }
      })
    },
    publicId: (task) => task.id,
    statusWord: (task) => task.status,
  }
}

/** The values of the secrets of a kind that hold for this delivery's mode now, newest first. */
function holding(secrets: readonly Secret[], kind: SecretKind, { mode }: Ready, now: number): string[] {
  const values: string[] = []
  for (const secret of secrets) {
    if (secret.kind !== kind || (secret.mode !== null && secret.mode !== mode)) continue
    if (isHolding(secret, now)) values.push(secret.value)
  }
  return values
}

function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const found = cache.get(key)
  if (found !== undefined) return found
  if (cache.size >= CACHE_LIMIT) cache.clear()
  const made = make()
  cache.set(key, made)
  return made
}
