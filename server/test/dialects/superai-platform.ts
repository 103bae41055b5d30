// A platform that speaks super.AI, and what its customers do: create jobs, read them, and check callbacks as they are told to.
import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import type { TestContext } from 'node:test'
import { startPlatform, type Received } from '../support/platform.ts'

export const app = '9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21'

/** A job as its customer sees it. */
export type Job = {
  id: string
  uuid: string
  appId: string
  batchId: string
  status: string
  input: unknown
  metadata: unknown
  tags: string[]
  callbackUrl: string | null
  correct: boolean | null
  created: string
  completed: string | null
}

type Callback = { id: string; uuid: string; state: string; action: string }

/** Starts a platform that stops when the test ends. */
export async function startSuperai(t: TestContext) {
  const platform = await startPlatform(t, 'superai')
  const { credentials, operate, received, attempted } = platform
  const hook = `${platform.receiver_url}/hook/`

  /** A call with the customer's key. */
  const request = (method: string, path: string, json?: unknown) =>
    platform.request(method, `/superai/v1${path}`, { headers: { 'API-KEY': credentials.live_key }, json })

  /** A call that must succeed; gives what it answers. */
  async function ask<T = Job>(method: string, path: string, json?: unknown): Promise<T> {
    const { status, text, body } = await request(method, path, json)
    assert.equal(status, 200, text)
    return body as unknown as T
  }

  /** Creates jobs; gives their batch, and the UUID of a single one. */
  const create = (json: Record<string, unknown> = {}) =>
    ask<{ message: string; batch_id: string; uuid: string }>('POST', `/apps/${app}/jobs`, {
      inputs: [{ n: 1 }],
      callbackUrl: hook,
      ...json,
    })

  return {
    ...platform,
    /** A call with no header but those given. */
    send: platform.request,
    hook,
    request,
    ask,
    create,
    job: (id: string) => ask('GET', `/jobs/${id}`),
    /** Does something to a task as the platform's staff. */
    operator: async (uuid: string, verb: string, json?: unknown) => {
      const { status, text } = await operate('POST', `/v1/tasks/${uuid}/${verb}`, json)
      assert.equal(status, 200, text)
    },
    /** The callbacks so far, once there were so many attempts: `state action`. */
    told: async (count: number): Promise<string[]> => {
      await attempted(count)
      return received.map(({ body }) => `${String(body['state'])} ${String(body['action'])}`)
    },
    /** Checks a callback as super.AI tells receivers to, both ways; gives what it says. */
    checked: ({ text, headers }: Received): Callback => {
      const key = createPublicKey((credentials as Record<string, string>)['signing_public_key'] ?? '')
      const signature = Buffer.from(String(headers['x-superai-webhook-signature']), 'base64')
      const callback = JSON.parse(text) as Callback
      const sorted = Object.entries(callback).toSorted(([a], [b]) => (a < b ? -1 : 1))
      const printed = `{${sorted.map(([name, value]) => `"${name}": ${JSON.stringify(value)}`).join(', ')}}`
      for (const signed of [text, printed])
        assert.ok(verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature))
      return callback
    },
  }
}
