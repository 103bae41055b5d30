// How AsyncQueue's tasks have something called for them (contract §2, §4.1): whatever answers below 500 is an answer, unless
// somebody shall still be waited for, who would never hear of a request that was refused.
import type { DialectCalls } from '../dialect.ts'
import { signatureHeader } from './signature.ts'

export const asyncqueueCalls: DialectCalls = {
  placeholder: '{asyncqueue_callback_url}',
  inbound_path: '/v1/callbacks/',
  headers: signatureHeader,
  verdict(status, { waits, poll }) {
    if (status >= 500) return 'again'
    return status >= 400 && (waits || poll !== null) ? 'bad' : 'good'
  },
  heeds_retry_after: false,
  // An answer's body is a text here, whatever it holds.
  response: (text) => JSON.stringify(text),
}
