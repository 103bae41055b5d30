// A platform that speaks AsyncQueue, and what its customers have: a target that is called, and a receiver of completion webhooks.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { startReceiver } from '../support/receiver.ts'
import { startPlatform } from '../support/platform.ts'
import { using } from '../support/sender.ts'

/** A task as its customer sees it. */
export type Task = {
  [field: string]: unknown
  id: string
  status: string
  headers: Record<string, string>
  callbackId: string | null
  result: { statusCode: number; headers: Record<string, string>; body: string; duration: number } | null
  error: string | null
  retryCount: number
  startedAt: string | null
  completedAt: string | null
}

/** What a target was called with, at `at` of the manual clock. */
export type Called = {
  method: string
  path: string
  headers: IncomingHttpHeaders
  text: string
  at: number
}

/** How a target answers. */
export type Answer = { status?: number; headers?: Record<string, string>; body?: string }

export const ended = ['completed', 'failed', 'timeout', 'cancelled']

/** Starts a platform that stops when the test ends. */
export async function startAsyncqueue(t: TestContext) {
  const platform = await startPlatform(t, 'asyncqueue')
  const { clock, credentials, log, received, attempted } = platform
  const calls: Called[] = []
  const answers: (Answer | (() => Answer | Promise<Answer>))[] = []
  // Who waits for a call hears of it before time goes on.
  const watching = new Map<number, () => void>()
  async function called(number: number): Promise<Called> {
    if (calls.length < number)
      await clock.advanceUntil(new Promise<void>((resolve) => watching.set(number, resolve)))
    return calls[number - 1]!
  }

  async function answerCall(response: ServerResponse): Promise<void> {
    const next = answers.shift() ?? {}
    const answer = typeof next === 'function' ? await next() : next
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body)
  }
  const target = await using(
    t,
    startReceiver(({ method = '', url = '', headers }, response, text) => {
      calls.push({ method, path: url, headers, text, at: clock.now() })
      watching.get(calls.length)?.()
      void answerCall(response)
    }),
  )
  const target_url = `${target.url}/run`

  /** A call with the customer's key. */
  const request = (method: string, path: string, json?: unknown) =>
    platform.request(method, `/asyncqueue${path}`, {
      headers: { authorization: `Bearer ${credentials.live_key}` },
      json,
    })

  /** A call that must be answered with `status`; gives what it answers. */
  async function ask<T = { task: Task }>(
    status: number,
    method: string,
    path: string,
    json?: unknown,
  ): Promise<T> {
    const answer = await request(method, path, json)
    assert.equal(answer.status, status, answer.text)
    return answer.body as unknown as T
  }

  /** Creates a task that calls the target, with these fields. */
  const create = (json: Record<string, unknown> = {}) =>
    ask<{ task: Task; signalToken?: string; callbackUrl?: string }>(201, 'POST', '/v1/tasks', {
      targetUrl: target_url,
      ...json,
    })

  const read = async (id: string): Promise<Task> => (await ask(200, 'GET', `/v1/tasks/${id}`)).task

  /** Waits by long polls until a task has one of these states, while time goes on. */
  async function until(id: string, ...statuses: string[]): Promise<Task> {
    const seen = async (): Promise<Task> => {
      for (;;) {
        const { task } = await ask(200, 'GET', `/v1/tasks/${id}?wait=1`)
        if (statuses.includes(task.status)) return task
        assert.ok(!ended.includes(task.status), `it is ${task.status}: ${task.error}`)
      }
    }
    const now = await read(id)
    return statuses.includes(now.status) ? now : clock.advanceUntil(seen())
  }

  /** Resolves with what `look` finds, once it finds anything. */
  async function found<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const there = look()
      if (there !== undefined) return there
      await new Promise(setImmediate)
    }
  }

  /** Checks the signature of what was received, as receivers are told to. */
  function assertSigned({ headers, text, at }: Pick<Called, 'headers' | 'text' | 'at'>): void {
    const [, seconds = '', v1] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-asyncqueue-signature'])) ?? []
    assert.ok(Math.abs(Number(seconds) * 1000 - at) < 300_000, `signed at ${seconds}, received at ${at}`)
    const expected = createHmac('sha256', credentials.signing_secret).update(`${seconds}.${text}`)
    assert.equal(v1, expected.digest('hex'))
  }

  return {
    ...platform,
    /** A call with no header but those given. */
    send: platform.request,
    request,
    ask,
    create,
    read,
    until,
    /** The same with all states that end a task. */
    done: (id: string) => until(id, ...ended),
    target_url,
    /** What the target was called with so far. */
    calls,
    /** How the next calls are answered; afterwards with an empty 200. */
    answerCalls: (...next: typeof answers) => void answers.push(...next),
    /** The call with this number, from 1: time goes on until the target gets it, and then stands still. */
    called,
    /** When the next call is due after the one with this number; null when there is none. */
    dueAfter: async (number: number): Promise<number | null> => {
      const lines = () => log.lines.filter(({ message }) => message === 'call.attempted')
      const line = await found(() => lines()[number - 1])
      return line['next_call_at'] as number | null
    },
    hook: `${platform.receiver_url}/done`,
    /** The webhooks so far, once there were so many attempts, each checked as receivers are told to. */
    told: async (count: number) => {
      await attempted(count)
      return received.map(({ headers, text, body, at }) => {
        assertSigned({ headers, text, at })
        return body as unknown as { event: string; task: Task }
      })
    },
    assertSigned,
  }
}
