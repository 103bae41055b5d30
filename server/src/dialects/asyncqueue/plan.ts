// From the fields of a request to what is called for its task (contract §1.1), each with its bounds and its default.
import { callMethods, type CallPlan, type RequestPlan } from '../../domain/call.ts'
import { fieldsOf, invalid, type Fields, type Values } from './fields.ts'
import { readHeaders } from './headers.ts'
import { readPoll, providerField } from './poll-config.ts'
import { readResolve } from './resolve-config.ts'
import type { Ext } from './ext.ts'

/** A request as it was understood. */
export type Asked = {
  plan: CallPlan & { request: RequestPlan }
  ext: Omit<Ext, 'signal_hash'>
  onCompleteUrl: string | null
}

const DEFAULT_S = 30
const BODY_BYTES = 1024 * 1024
// Long enough for the judge of URLs to say that one is too long.
const LONGEST_URL = 16_384

/** Reads a request for a task at `now` (milliseconds). Throws `invalid_request` for the first field that is wrong. */
export function readPlan(values: Values, now: number): Asked {
  const fields = fieldsOf(values)
  const url = fields.required('targetUrl', { longest: LONGEST_URL })
  const method = fields.word('method', callMethods) ?? 'POST'
  const headers = readHeaders(fields)
  const body = readBody(fields)
  const maxWait = fields.number('maxWaitTime', { low: 1, high: 604_800 })
  const timeout_s = fields.number('timeout', { low: 1, high: 300 }) ?? DEFAULT_S
  const delay = readDelay(fields)
  const retries = fields.whole('maxRetries', { low: 0, high: 10 }) ?? 3
  const backoff = fields.word('retryBackoff', ['exponential', 'linear']) ?? 'exponential'
  const priority = fields.whole('priority', { low: 1, high: 10 }) ?? 5
  const onCompleteUrl = fields.text('onCompleteUrl', { longest: LONGEST_URL }) ?? null
  const waits = fields.flag('waitForSignal') ?? false
  const provider = providerField(fields, 'provider')
  const poll = readPoll(fields, provider)
  const resolve = readResolve(fields)
  const max_wait_s = maxWait ?? DEFAULT_S
  // A wait that was asked for bounds each attempt of a task that waits for nothing else; one that was not asked for does not cut
  // a longer `timeout` short.
  const attempt_s = waits || maxWait === undefined ? timeout_s : Math.min(timeout_s, maxWait)
  const request = { url, method, headers, body, timeout_ms: inMs(attempt_s), retries, backoff, priority }
  return {
    plan: {
      request,
      not_before: delay !== undefined && delay.time_ms > now ? delay.time_ms : null,
      waits,
      wait_ms: waits ? inMs(max_wait_s) : null,
      poll,
      resolve,
    },
    ext: { max_wait_s, timeout_s, delay_until: delay?.text ?? null, provider: provider?.id ?? null },
    onCompleteUrl,
  }
}

const inMs = (seconds: number) => Math.round(seconds * 1000)

function readBody(fields: Fields): string | null {
  const body = fields.text('body', { longest: BODY_BYTES }) ?? null
  if (body !== null && Buffer.byteLength(body) > BODY_BYTES)
    throw invalid('body', `must have ${BODY_BYTES} bytes at most`)
  return body
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/i

function readDelay(fields: Fields): { text: string; time_ms: number } | undefined {
  const text = fields.text('delayUntil', { longest: 40 })
  if (text === undefined) return undefined
  const time_ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time_ms)) return { text, time_ms }
  throw invalid('delayUntil', 'must be a time with its zone, such as 2026-11-20T08:00:00Z')
}
