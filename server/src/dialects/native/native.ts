// The native dialect's callbacks (native contract §4): Standard Webhooks signatures, 20 retries in 24 hours. The body is
// frozen with the event; only the headers are made anew for each attempt, since a signature carries its time.
import { createSigner, type Signer } from '@ringback/sdk'
import { print, verbatim } from '../../domain/json.ts'
import type { Outcome } from '../../domain/outcome.ts'
import type { SecretKind } from '../../domain/project.ts'
import { isoTime } from '../../domain/time.ts'
import { cached } from '../cached.ts'
import type { Dialect } from '../dialect.ts'
import { heldSecrets } from '../held-secrets.ts'
import { mailHeaders } from '../mail-headers.ts'
import { createRetryPolicy } from '../retry-policy.ts'
import { nativeCalls } from './calls.ts'
import { presentTask } from './present.ts'

const SIGNING_BYTES = 32

/** 410 Gone is a receiver's wish to hear no more of this; everything else may get better. */
const retryable = (outcome: Outcome) => outcome.status !== 410

/** Makes the native dialect; `version` is told in `user-agent`. */
export function createNative({ version }: { version: string }): Dialect {
  const signers = new Map<string, Signer>()
  const userAgent = `Ringback/${version}`

  return {
    name: 'native',
    credentials: {
      key_prefix: { live: 'rb_live_', test: 'rb_test_' },
      auth_prefix: { live: 'rb_auth_live_', test: 'rb_auth_test_' },
      signingSecret: (randomBytes) => `whsec_${randomBytes(SIGNING_BYTES).toString('base64')}`,
    },
    settings: {},
    calls: nativeCalls,
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
      const held = (kind: SecretKind) => heldSecrets(secrets, { kind, mode: ready.mode, now })
      const signing = held('signing')
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
      const auth = held('callback_auth').at(-1)
      if (auth !== undefined) headers['ringback-callback-auth'] = auth
      if (ready.resend === 1) headers['ringback-resend'] = '1'
      return headers
    },
    mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: ready.task_id, attempt }),
    policy: createRetryPolicy(retryable),
    publicId: (task) => task.id,
    statusWord: (task) => task.status,
  }
}
