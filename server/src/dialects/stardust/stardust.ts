// The dialect of Stardust's MorningStar and Rosetta open API. Its customers send files of records and wait for callbacks,
// which carry the same signature that they put on their own requests, made anew for every attempt.
import type { Dialect } from '../dialect.ts'
import { heldSecrets } from '../held-secrets.ts'
import { mailHeaders } from '../mail-headers.ts'
import { accessKeyIn, printCallback, taskIdIn } from './callback.ts'
import { createFront } from './front.ts'
import { createImport } from './import.ts'
import { createPolicy, platformSettings } from './policy.ts'
import { publicId } from './present.ts'
import { sign } from './signature.ts'
import { statusWord } from './status.ts'

const SECRET_BYTES = 24

/** Makes the dialect. `version` is told in `user-agent`; requests may be signed `window_ms` ago, or ahead. */
export function createStardust({ version, window_ms }: { version: string; window_ms: number }): Dialect {
  const userAgent = `Ringback/${version}`
  return {
    name: 'stardust',
    credentials: {
      key_prefix: { live: 'ak_', test: 'ak_test_' },
      auth_prefix: { live: 'rb_auth_live_', test: 'rb_auth_test_' },
      signingSecret: (randomBytes) => `sk_${randomBytes(SECRET_BYTES).toString('hex')}`,
      aliases: ({ live_key, signing_secret }) => ({
        access_key_id: live_key,
        access_key_secret: signing_secret,
      }),
    },
    settings: platformSettings,
    calls: null,
    front: createFront({ window_ms }),
    callback: printCallback,
    headers({ body, mode }, { secrets, now }) {
      const id = accessKeyIn(body)
      // There is room for one signature, and a receiver that checks it may not know the new secret yet.
      const secret = heldSecrets(secrets, { kind: 'signing', mode, now }).at(-1)
      if (secret === undefined) throw new Error('The project has no AccessKey secret to sign with')
      const ts = String(now)
      return {
        'content-type': 'application/json',
        'user-agent': userAgent,
        'x-stardust-key': id,
        'x-ts': ts,
        'x-sign': sign(ts, { id, secret }),
      }
    },
    mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: taskIdIn(ready.body), attempt }),
    work: createImport,
    policy: createPolicy(),
    publicId,
    statusWord,
  }
}
