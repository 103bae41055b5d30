// The Scale dialect (contract §4): callbacks carry the whole task and the callback auth key of its mode in a header. What an event
// is for its customers stands in callback.ts, their routes in front.ts.
import type { Secret } from '../../domain/project.ts'
import type { Ready } from '../../store/store.ts'
import type { Dialect } from '../dialect.ts'
import { heldSecrets } from '../held-secrets.ts'
import { mailHeaders } from '../mail-headers.ts'
import { createBatchWork } from './batch-work.ts'
import { amend, callback } from './callback.ts'
import { front } from './front.ts'
import { scaleId } from './id.ts'
import { createPolicy } from './policy.ts'
import { statusWord } from './status.ts'

const SIGNING_BYTES = 32

/** Makes the Scale dialect; `version` is told in `user-agent`. */
export const createScale = ({ version }: { version: string }): Dialect => ({
  name: 'scale',
  credentials: {
    key_prefix: { live: 'live_', test: 'test_' },
    auth_prefix: { live: 'live_auth_', test: 'test_auth_' },
    // Its callbacks are not signed.
    signingSecret: (randomBytes) => randomBytes(SIGNING_BYTES).toString('hex'),
  },
  settings: {},
  amend,
  callback,
  headers: (ready, { secrets, now }) => ({
    'content-type': 'application/json',
    'user-agent': `Ringback/${version}`,
    'scale-callback-auth': authKey(secrets, ready, now),
  }),
  mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: scaleId(ready.task_id), attempt }),
  policy: createPolicy(),
  publicId: ({ id }) => scaleId(id),
  statusWord,
  calls: null,
  front,
  work: createBatchWork,
})

/** The callback auth key of a delivery's mode: the oldest that holds, since receivers compare it with the one they have. */
function authKey(secrets: readonly Secret[], { mode }: Ready, now: number): string {
  const key = heldSecrets(secrets, { kind: 'callback_auth', mode, now }).at(-1)
  if (key === undefined) throw new Error(`The project has no callback auth key for its ${mode} mode`)
  return key
}
