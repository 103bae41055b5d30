// `ringback secrets rotate` killed on its way, without a server and beside one: run again it ends, and at no time is there a
// value that neither key opens.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createVerifier } from '@ringback/sdk'
import { openStore } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { createProjectWithCredentials } from '../../src/dialects/credentials.ts'
import type { Secret } from '../../src/domain/project.ts'
import { startReceiver } from '../support/receiver.ts'
import { using } from '../support/sender.ts'
import { newId, newProject } from '../support/store.ts'
import { adminKey, spawnServer } from './server-process.ts'

const bin = new URL('../../bin/ringback.js', import.meta.url).pathname
// Enough for the kill to come long before the end.
const SECRETS = 20_000

const [one, two] = [1, 2].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer]
const keys = {
  one: { RINGBACK_SECRET_KEY: one.toString('base64') },
  two: { RINGBACK_SECRET_KEY: two.toString('base64') },
  both: { RINGBACK_SECRET_KEY: two.toString('base64'), RINGBACK_SECRET_KEY_OLD: one.toString('base64') },
}
type Keys = (typeof keys)[keyof typeof keys]

/** Opens a database that no process has. */
const open = (data: string, given: Keys) =>
  openStore({
    config: readConfig({ data }, given).config,
    secret_key: Buffer.from(given.RINGBACK_SECRET_KEY, 'base64'),
  })

/** A database sealed with key one: a project to use, and one with very many secrets. */
async function seed(t: TestContext) {
  const data = await mkdtemp(join(tmpdir(), 'ringback-reseal-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  const store = await open(data, keys.one)
  const created = createProjectWithCredentials(
    { name: 'used', dialect: 'native', default_callback_url: null },
    { now: Date.now, newId, randomBytes },
  )
  await store.createProject(created)
  const crowded = newProject()
  const secrets = Array.from({ length: SECRETS }, (_, i): Secret => {
    const row = { id: newId(), project_id: crowded.id, kind: 'signing', mode: null } as const
    return { ...row, value: `secret ${i}`, created_at: 1, expires_at: null }
  })
  await store.createProject({ project: crowded, keys: [], secrets })
  await store.close()
  return {
    data,
    credentials: created.credentials,
    /** Fails unless every value is read as it was written, with these keys. */
    assertReadable: async (given: Keys) => {
      const store = await open(data, given)
      const values = (await store.secrets(crowded.id)).map(({ value }) => value)
      assert.deepEqual(values, secrets.map(({ value }) => value).toReversed())
      assert.equal((await store.secrets(created.project.id)).length, 3)
      await store.close()
    },
  }
}

type Settings = Readonly<Record<string, string>>

const plain = { PATH: process.env['PATH'] ?? '' }
const rotate = (env: Settings) =>
  promisify(execFile)(process.execPath, [bin, 'secrets', 'rotate'], { env: { ...plain, ...env } })

/** Runs the command until it has told of its first step; then calls `interrupt`, and gives its exit status or signal. */
async function interruptRotation(env: Settings, interrupt: (kill: () => boolean) => unknown) {
  const child = spawn(process.execPath, [bin, 'secrets', 'rotate'], {
    env: { ...plain, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const exited = once(child, 'exit')
  const lines: string[] = []
  const reader = createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  const read = once(reader, 'close')
  await once(reader, 'line')
  await interrupt(() => child.kill('SIGKILL'))
  const [status, signal] = (await exited) as [number | null, NodeJS.Signals | null]
  await read
  return { ended: signal ?? status, lines }
}

test('a rotation without a server that is killed goes on where it was', async (t) => {
  const { data, assertReadable } = await seed(t)
  const env = { RINGBACK_DATA: data, ...keys.both }
  await assert.rejects(rotate({ ...env, RINGBACK_SECRET_KEY_OLD: keys.two.RINGBACK_SECRET_KEY }), {
    code: 1,
    stderr:
      /^ringback: RINGBACK_SECRET_KEY .*is not the key that this database was written with, nor is .*\n$/,
  })
  await assert.rejects(rotate({ RINGBACK_DATA: data, RINGBACK_PORT: '9', RINGBACK_ADMIN_KEY: adminKey }), {
    code: 2,
    stderr:
      /^ringback: RINGBACK_SECRET_KEY is missing: .* no server answers at http:\/\/127\.0\.0\.1:9 .*\n$/,
  })
  await assertReadable(keys.one)

  const { ended, lines } = await interruptRotation(env, (kill) => kill())
  assert.equal(ended, 'SIGKILL')
  assert.match(lines[0] ?? '', /^200 sealed anew, at least 10000 to go$/)
  await assertReadable(keys.both)
  for (const alone of [keys.one, keys.two])
    await assert.rejects(open(data, alone), { name: 'WrongSecretKeyError' })

  const { stdout } = await rotate(env)
  const [, count] =
    /^Sealed (\d+) values anew: .*\nRINGBACK_SECRET_KEY_OLD is not needed any more/.exec(stdout) ?? []
  assert.ok(Number(count) > 0 && Number(count) <= SECRETS + 3 - 200, stdout)
  await assertReadable(keys.two)
  assert.match((await rotate({ RINGBACK_DATA: data, ...keys.two })).stdout, /^Nothing to do: /)
})

test('a rotation while serving stops nobody, survives the kill of the server, and ends', async (t) => {
  const { data, credentials, assertReadable } = await seed(t)
  const { live_key, operator_key, signing_secret } = credentials
  const verify = createVerifier(signing_secret)
  const heard: string[] = []
  const arrived = Promise.withResolvers<void>()
  const receiver = await using(
    t,
    startReceiver(({ headers }, response, body) => {
      heard.push(verify(headers, body).type)
      arrived.resolve()
      response.end()
    }),
  )
  const boot = async (given: Keys) => {
    const server = spawnServer(data, given)
    t.after(() => server[Symbol.asyncDispose]())
    const base_url = await server.ready
    const call = async (
      path: string,
      { key = live_key, json, headers }: { key?: string; json?: object; headers?: Settings } = {},
    ) => {
      const answer = await fetch(base_url + path, {
        method: json === undefined ? 'GET' : 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
      assert.ok(answer.ok, `${path}: ${answer.status}`)
      return { text: await answer.text(), replayed: answer.headers.get('idempotent-replayed') }
    }
    const command = {
      RINGBACK_DATA: data,
      RINGBACK_PORT: new URL(base_url).port,
      RINGBACK_ADMIN_KEY: adminKey,
      ...given,
    }
    return { server, call, command }
  }
  const again = { json: { callback_url: receiver.url }, headers: { 'idempotency-key': 'once' } }

  const before = await boot(keys.one)
  const created = await before.call('/v1/tasks', again)
  // A server that does not know the new key is told so, and nothing is changed.
  await assert.rejects(rotate({ ...before.command, ...keys.two }), {
    code: 2,
    stderr: /^ringback: http:\/\/127\.0\.0\.1:\d+ seals with another key than RINGBACK_SECRET_KEY: .*\n$/,
  })
  await before.server.end('SIGTERM')
  await assert.rejects(spawnServer(data, keys.two).ready, /RINGBACK_SECRET_KEY .*is not the key/)

  const during = await boot(keys.both)
  const { ended, lines } = await interruptRotation(during.command, async () => {
    const { id } = JSON.parse(created.text) as { id: string }
    await during.call(`/v1/tasks/${id}/complete`, { json: { response: 1 } })
    await arrived.promise
    assert.deepEqual(await during.call('/v1/tasks', again), { ...created, replayed: 'true' })
    await during.server.end('SIGKILL')
  })
  assert.equal(ended, 1)
  assert.match(lines.at(-1) ?? '', /^ringback: no answer from http:/)
  assert.deepEqual(heard, ['task.completed'])
  await assertReadable(keys.both)
  await assert.rejects(open(data, keys.two), { name: 'WrongSecretKeyError' })

  const next = await boot(keys.both)
  assert.match((await rotate(next.command)).stdout, /^Sealed \d+ values anew: /)
  await next.server.end('SIGTERM')
  await assertReadable(keys.two)

  const last = await boot(keys.two)
  assert.deepEqual(await last.call('/v1/tasks', again), { ...created, replayed: 'true' })
  const { text } = await last.call('/v1/project/secrets', { key: operator_key })
  assert.ok(text.includes(signing_secret), text)
  assert.match((await rotate(last.command)).stdout, /^Nothing to do: /)
  await last.server.end('SIGTERM')
})
