// A platform for Scale's customers: their calls with a key of either mode, and a receiver that does what Scale tells receivers to:
// compare the auth key, answer 500 to a wrong one, and keep tasks by their id, so that a callback that comes twice does no harm.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Sender } from '../../src/engine/senders.ts'
import { startPlatform, type Received } from '../support/platform.ts'

/** What a customer sees of a task; what is not there yet has no key. */
export type Shown = {
  [field: string]: unknown
  task_id: string
  status: string
  response?: { [field: string]: unknown }
  audits?: { audit_result: string; audit_source: string }[]
}

/** The header of a key that is the user name of HTTP Basic, without a password. */
export const basic = (key: string): string => `Basic ${Buffer.from(`${key}:`).toString('base64')}`

/** Enough for a categorization. */
export const categorization = {
  instruction: 'Ripe or not?',
  attachment_type: 'text',
  attachment: 'pear',
  categories: ['ripe', 'unripe'],
}

type Options = { mode?: 'live' | 'test'; raw?: string; headers?: Record<string, string> }

/** Starts a platform that speaks Scale. */
export async function startScale(t: TestContext, options: { mail?: Sender } = {}) {
  const platform = await startPlatform(t, 'scale', options)
  const keys = { live: platform.credentials.live_key, test: platform.credentials.test_key }

  /** A customer's call under /scale/v1. */
  const customer = (
    method: string,
    path: string,
    json?: unknown,
    { mode = 'live', raw, headers = {} }: Options = {},
  ) =>
    platform.request(method, `/scale/v1${path}`, {
      headers: { authorization: basic(keys[mode]), ...headers },
      ...(json === undefined ? {} : { json }),
      ...(raw === undefined ? {} : { raw }),
    })

  /** Creates a categorization whose events go to the receiver. */
  async function create(changes: object = {}, options: Options = {}): Promise<Shown> {
    const body = { ...categorization, callback_url: `${platform.receiver_url}/in`, ...changes }
    const { status, body: shown, text } = await customer('POST', '/task/categorization', body, options)
    assert.equal(status, 200, text)
    return shown as unknown as Shown
  }

  /** A verb of the platform's staff. */
  async function staff(verb: string, task_id: string, json?: unknown): Promise<void> {
    const { status, text } = await platform.operate('POST', `/v1/tasks/${task_id}/${verb}`, json)
    assert.equal(status, 200, text)
  }

  return {
    ...platform,
    customer,
    create,
    /** The task as its customer sees it now. */
    async get(task_id: string, options: Options = {}): Promise<Shown> {
      const { body } = await customer('GET', `/task/${task_id}`, undefined, options)
      return body as unknown as Shown
    },
    staff,
    /** What the receiver knows of tasks, after it has checked each callback. */
    known: () => knownFrom(platform.received, platform.credentials.callback_auth_key),
  }
}

/** Checks callbacks as Scale's sample receiver does, and gives the latest of each task. */
function knownFrom(received: readonly Received[], auth_key: string): Map<string, Shown> {
  const known = new Map<string, Shown>()
  for (const { headers, text } of received) {
    assert.equal(headers['scale-callback-auth'], auth_key)
    assert.equal(headers['content-type'], 'application/json')
    const { task_id, status, response, task } = JSON.parse(text) as Shown & { task: Shown }
    assert.deepEqual([task.task_id, task.status, task.response ?? null], [task_id, status, response])
    known.set(task_id, task)
  }
  return known
}
