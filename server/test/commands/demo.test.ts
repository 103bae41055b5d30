// The story of `ringback demo`, played by the real command on a real server: what is told, what is left behind on the
// server, and how it ends where it cannot be played.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { clientOf } from '../../src/commands/client/exchange.ts'
import { emptyHouse } from '../../src/commands/demo/stage.ts'
import { playStory } from '../../src/commands/demo/story.ts'
import { bin, run, startDev } from './cli.ts'

type Story = {
  task: { id: string; type: string; status: string; audit_status: string | null; callback_succeeded: boolean }
  arrivals: { verdict: string }[]
  deliveries: { event: string; resend: boolean; state: string; attempts: { status: number }[] }[]
}

const told = [
  /● label +created, {"image":"cat\.png"}\n/,
  /● transcript +created, {"audio":"call\.mp3"}; its receiver will fail twice\n/,
  /○ label +the customer waits for it: .*\n[^]*← label +its provider POSTs .*: 200\n[^]*● label +completed, /,
  /✓ label +task\.completed, attempt 1: answered 200 in .*\n[^]*← label +the same URL once more: 404, /,
  /✗ transcript +task\.completed, attempt 1: answered 500 in .*; the next in .*\n/,
  /✗ transcript +task\.completed, attempt 2: answered 500 in .*; the next in .*\n/,
  /✓ transcript +task\.completed, attempt 3: answered 200 in .*\n/,
  /● invoice +an auditor rejects it: .*\n/,
  /✓ invoice +task\.audit\.rejected, attempt 1: answered 200 in .*\n/,
  /→ invoice +the customer has lost that: .*\n/,
  /✓ invoice +task\.audit\.rejected again, attempt 1: answered 200 in .*\n/,
  /\n5 callbacks took 7 attempts, and all have arrived\. Look at them:\nringback task show \S{36}\nhttp\S+\/\n$/,
]

/** Runs `ringback serve` on a free port; it ends with the test. */
async function startServe(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-serve-'))
  const admin_key = randomBytes(24).toString('hex')
  const env = {
    PATH: process.env['PATH'],
    RINGBACK_DATA: data,
    RINGBACK_ADMIN_KEY: admin_key,
    RINGBACK_SECRET_KEY: randomBytes(32).toString('base64'),
    RINGBACK_PUBLIC_URL: 'https://callbacks.example.com',
  }
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
    await rm(data, { recursive: true })
  })
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const { msg, port } = JSON.parse(line) as { msg: string; port: number }
    if (msg === 'server.listening') return { url: `http://127.0.0.1:${port}`, admin_key }
  }
  throw new Error('serve ended')
}

test('the story is told and played, and leaves its tasks to be looked at', async (t) => {
  const { ringback, dev } = await startDev(t)
  const setRetry = (retry: object) =>
    clientOf({ url: dev.base_url, key: dev.live_key }).project.update({ retry })
  const stories = async () => {
    const { code, stdout, stderr } = await ringback(['demo', '--json'])
    assert.deepEqual([code, stderr], [0, ''])
    return JSON.parse(stdout) as Story[]
  }
  // Waits of a third of a second.
  await setRetry({ retries: 50, window_s: 20 })

  await t.test('each thing is told as it happens, and what to look at next', async () => {
    const { code, stdout, stderr } = await ringback(['demo'])
    assert.deepEqual([code, stderr], [0, ''])
    for (const part of told) assert.match(stdout, part)
    // Nothing is overwritten and nothing coloured where nobody watches.
    assert.doesNotMatch(stdout, /(?!\n)\p{Cc}/u)
    const [, id = ''] = /task show (\S+)/.exec(stdout) ?? []
    assert.match((await ringback(['task', 'show', id])).stdout, /✓ attempt 3 of task\.completed/)
  })

  await t.test('all of it has happened on the server', async () => {
    const played = await stories()
    const seen = played.map(({ task, arrivals, deliveries }) => [
      [task.type, task.status, task.audit_status, task.callback_succeeded],
      arrivals.map(({ verdict }) => verdict).toSorted(),
      deliveries
        .toReversed()
        .map(({ event, resend, attempts }) => [event, resend, attempts.map(({ status }) => status)]),
    ])
    assert.deepEqual(seen, [
      [['label', 'completed', null, true], ['repeated', 'resolved'], [['task.completed', false, [200]]]],
      [['transcript', 'completed', null, true], [], [['task.completed', false, [500, 500, 200]]]],
      [
        ['invoice', 'completed', 'rejected', true],
        [],
        [
          ['task.completed', false, [200]],
          ['task.audit.rejected', false, [200]],
          ['task.audit.rejected', true, [200]],
        ],
      ],
    ])
  })

  await t.test('with --quiet there are ids only, and in 40 columns every line fits', async () => {
    const quiet = await ringback(['demo', '--quiet'])
    assert.match(quiet.stdout, /^(\S{36}\n){3}$/)
    const { stdout } = await ringback(['demo'], { COLUMNS: '40' })
    for (const line of stdout.split('\n')) assert.ok(line.length <= 40, line)
    assert.match(stdout, /^✓ transcript: task\.completed, attempt 3:\n  answered 200 in /m)
  })

  await t.test('a key of another project ends it, since the inbox knows one project only', async () => {
    const made = await ringback(['project', 'create', '--name', 'other', '--json'])
    const { credentials } = JSON.parse(made.stdout) as { credentials: { live_key: string } }
    const { code, stderr } = await ringback(['demo', '--quiet', '--key', credentials.live_key])
    assert.equal(code, 1)
    assert.match(stderr, /^ringback: the inbox did not accept the signature: use a key of .*\n$/)
  })

  await t.test('a project with slow retries, or none, ends it with what is planned', async () => {
    // A changed setting takes effect within a second.
    const endsWith = async (sentence: RegExp) => {
      let ended = await ringback(['demo', '--quiet'])
      for (let tries = 0; tries < 10 && !sentence.test(ended.stderr); tries++)
        ended = await ringback(['demo', '--quiet'])
      assert.match(ended.stderr, sentence)
      assert.deepEqual([ended.code, ended.stdout], [1, ''])
    }
    await setRetry({ retries: 1, window_s: 86_400 })
    await endsWith(/^ringback: the next attempt is planned for \S+Z, .* slow retries; .*\n$/)
    await setRetry({ retries: 0 })
    await endsWith(/^ringback: the callback was given up \(retries_exhausted\), .*\n$/)
  })
})

test('a server that is no `dev` server is told in one sentence', async (t) => {
  const { url, admin_key } = await startServe(t)
  const { project, credentials } = await clientOf({ url, key: admin_key }).admin.createProject({
    name: 'own',
  })
  assert.equal(project.name, 'own')
  const ended = await run(process.execPath, [bin, 'demo', '--url', url, '--key', credentials.live_key ?? ''])
  assert.deepEqual([ended.code, ended.stdout], [1, ''])
  assert.match(ended.stderr, /^ringback: http:\S+ is no `ringback dev` server: it has no inbox .*\n$/)
})

test('without a server the exit status is that of every client: 2 where none is known, 1 where none answers', async () => {
  const data = { RINGBACK_DATA: join(tmpdir(), 'ringback-no-such-folder') }
  const unknown = await run(process.execPath, [bin, 'demo'], data)
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /^ringback: no server is known: start `ringback dev`, or .*\n$/)
  const silent = await run(
    process.execPath,
    [bin, 'demo', '--url', 'http://127.0.0.1:1024', '--key', 'x'],
    data,
  )
  assert.equal(silent.code, 1)
  assert.match(silent.stderr, /^ringback: no answer from http:\S+ \(ECONNREFUSED\): .*\n$/)
})

test('a server that never answers ends the story at its limit', async (t) => {
  const server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = clientOf({ url, key: 'x' })
  await assert.rejects(playStory({ client, url, stage: emptyHouse, limit_ms: 200 }), {
    name: 'FailedError',
    message: 'the story was not over after 0.2 s; the log of the server may say why',
  })
})
