// The super.AI dialect (its contract: jobs of apps, made in batches): what its customers' callbacks look like and how they are
// sent. Its routes are in front.ts.
import type { KeyObject } from 'node:crypto'
import { cached } from '../cached.ts'
import type { Dialect } from '../dialect.ts'
import { heldSecrets } from '../held-secrets.ts'
import { mailHeaders } from '../mail-headers.ts'
import { createRetryPolicy } from '../retry-policy.ts'
import { callbackBody } from './callback.ts'
import { superaiFront } from './front.ts'
import { createIngestWork } from './ingest-work.ts'
import { stateOf } from './job.ts'
import { createSigningKey, publicKeyOf, readSigningKey, signBody } from './signature.ts'

/** Makes the super.AI dialect; `version` is told in `user-agent`. */
export function createSuperai({ version }: { version: string }): Dialect {
  const keys = new Map<string, KeyObject>()
  const userAgent = `Ringback/${version}`

  return {
    name: 'superai',
    credentials: {
      key_prefix: { live: 'sai_live_', test: 'sai_test_' },
      auth_prefix: { live: 'sai_auth_live_', test: 'sai_auth_test_' },
      signingSecret: createSigningKey,
      aliases: ({ signing_secret }) => ({ signing_public_key: publicKeyOf(signing_secret) }),
    },
    settings: {},
    calls: null,
    front: superaiFront,
    work: createIngestWork,
    callback: callbackBody,
    headers(ready, { secrets, attempt, now }) {
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        'user-agent': userAgent,
        'webhook-id': ready.event_id,
        'ringback-attempt': String(attempt),
      }
      // A header has one value, and a receiver knows one public key: the oldest, until its grace is over.
      const secret = heldSecrets(secrets, { kind: 'signing', mode: ready.mode, now }).at(-1)
      if (secret !== undefined) {
        const key = cached(keys, secret, () => readSigningKey(secret))
        headers['x-superai-webhook-signature'] = signBody(key, ready.body)
      }
      if (ready.resend === 1) headers['ringback-resend'] = '1'
      return headers
    },
    mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: ready.task_id, attempt }),
    // A callback is promised at least once, so every answer but a 2xx is tried again, 410 too (contract §3.4).
    policy: createRetryPolicy(() => true),
    publicId: (task) => task.external_id ?? task.id,
    statusWord: stateOf,
  }
}
