// The AsyncQueue dialect (its contract, generation G3): tasks that call a URL of the customer's and may then wait for a signal, an
// inbound callback or a provider that is polled. What is called is in calls.ts, its customers' routes in front.ts.
import type { Dialect } from '../dialect.ts'
import { mailHeaders } from '../mail-headers.ts'
import { createRetryPolicy } from '../retry-policy.ts'
import { callbackBody } from './callback.ts'
import { asyncqueueCalls } from './calls.ts'
import { asyncqueueFront } from './front.ts'
import { signatureHeader } from './signature.ts'
import { statusWord } from './status.ts'

const SECRET_BYTES = 24
const WEBHOOK_TIMEOUT_MS = 10_000

/** Makes the AsyncQueue dialect; `version` is told in `user-agent`. */
export const createAsyncqueue = ({ version }: { version: string }): Dialect => ({
  name: 'asyncqueue',
  credentials: {
    key_prefix: { live: 'async_', test: 'async_test_' },
    auth_prefix: { live: 'rb_auth_live_', test: 'rb_auth_test_' },
    signingSecret: (randomBytes) => `whsec_${randomBytes(SECRET_BYTES).toString('hex')}`,
    aliases: ({ signing_secret }) => ({ webhook_secret: signing_secret }),
  },
  settings: { timeout_ms: WEBHOOK_TIMEOUT_MS },
  calls: asyncqueueCalls,
  front: asyncqueueFront,
  callback: callbackBody,
  headers: ({ mode, body }, context) => ({
    'content-type': 'application/json',
    'user-agent': `Ringback/${version}`,
    ...signatureHeader({ mode, body }, context),
  }),
  mailHeaders: (ready, { attempt }) => mailHeaders(ready, { task_id: ready.task_id, attempt }),
  // A webhook is promised to whoever waits for it, so every answer but a 2xx is tried again (contract §4.2, our choice).
  policy: createRetryPolicy(() => true),
  publicId: ({ id }) => id,
  statusWord,
})
