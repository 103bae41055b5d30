// A server whose secrets are known is used, misused and made to fail, and then everything that it leaves behind is searched for
// them: its log, its answers, its metrics, the command line of its process, its database and a backup of it.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { adminKey, spawnServer } from '../crash/server-process.ts'
import { bin, run } from '../commands/cli.ts'
import { startMailServer } from '../support/mail-server.ts'
import { startReceiver } from '../support/receiver.ts'

const SECRET_KEY = Buffer.from('the-sealing-key-of-this-server-!').toString('base64')
const OLD_SECRET_KEY = Buffer.from('the-sealing-key-it-had-before--!').toString('base64')
const MAIL_PASSWORD = 'planted-mail-password'
const OPERATOR_PASSWORD = 'planted-operator-password'
const VAULT_VALUE = 'Bearer planted-vault-value'

type Listed = { id: string; attempt_count?: number }
type Answer = {
  status: number
  text: string
  body: {
    id: string
    value: string
    callback_id: string
    data: Listed[]
    project: Listed
    credentials: Record<string, string>
  }
}

/** Every value of an object whose name says that it is one's own to keep. */
const secretsOf = (credentials: Record<string, string>): [string, string][] =>
  Object.entries(credentials).filter(([name]) => /key$|secret$/.test(name))

/** The forms in which a secret could stand somewhere; of a key in several lines the first that is nobody else's. */
function formsOf(secret: string): string[] {
  const line = secret.split('\n').find((line) => !line.startsWith('-----')) ?? secret
  return [
    line,
    Buffer.from(line).toString('base64'),
    Buffer.from(line).toString('hex'),
    encodeURIComponent(line),
  ]
}

test('no secret is in the log, an answer, the metrics, the process, the database or a backup', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'ringback-secrets-'))
  t.after(() => rm(data, { recursive: true, force: true }))
  await using mail = await startMailServer({
    authOptional: false,
    onAuth: (_auth, _session, callback) => callback(new Error('no such user')),
  })
  const heard: string[] = []
  await using receiver = await startReceiver(({ url, headers }, response) => {
    heard.push(`${url} ${JSON.stringify(headers)}`)
    response.writeHead(url === '/good' ? 200 : 500).end()
  })
  const log: string[] = []
  await using server = spawnServer(
    data,
    {
      RINGBACK_LOG_LEVEL: 'debug',
      RINGBACK_SECRET_KEY: SECRET_KEY,
      RINGBACK_SECRET_KEY_OLD: OLD_SECRET_KEY,
      RINGBACK_SMTP_URL: `smtp://mailer:${MAIL_PASSWORD}@127.0.0.1:${mail.port}`,
      RINGBACK_SMTP_FROM: 'ringback@example.com',
      RINGBACK_OPERATOR_URL: `http://operator:${OPERATOR_PASSWORD}@127.0.0.1:${receiver.port}/operator`,
    },
    (line) => log.push(line),
  )
  const base_url = await server.ready

  const answers: string[] = []
  async function call(method: string, path: string, key?: string, json?: unknown): Promise<Answer> {
    const answer = await fetch(base_url + path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: json === undefined ? null : typeof json === 'string' ? json : JSON.stringify(json),
    })
    const text = await answer.text()
    return { status: answer.status, text, body: text.startsWith('{') ? JSON.parse(text) : {} }
  }
  /** Calls, and keeps the answer for the search. */
  async function probe(method: string, path: string, key?: string, json?: unknown): Promise<void> {
    const { status, text } = await call(method, path, key, json)
    answers.push(`${method} ${path} ${status} ${text}`)
  }

  const planted = new Map<string, string>([
    ['the admin key', adminKey],
    ['the sealing key', SECRET_KEY],
    ['the old sealing key', OLD_SECRET_KEY],
    ['the mail password', MAIL_PASSWORD],
    ['the operator’s password', OPERATOR_PASSWORD],
    ['the vault’s value', VAULT_VALUE],
  ])
  let seen = ''
  for (const dialect of ['native', 'scale', 'stardust', 'superai', 'asyncqueue']) {
    const created = await call('POST', '/v1/admin/projects', adminKey, {
      name: dialect,
      dialect,
      default_callback_url: `${receiver.url}/bad`,
    })
    assert.equal(created.status, 201, created.text)
    const { credentials, project } = created.body
    for (const [name, value] of secretsOf(credentials)) planted.set(`${dialect}’s ${name}`, value)
    const { live_key = '', operator_key = live_key } = credentials
    await probe('GET', `/v1/admin/projects/${project.id}/keys`, adminKey)
    for (const path of ['/v1/project', '/v1/tasks', '/v1/deliveries', '/v1/destinations', '/v1/tokens'])
      await probe('GET', path, operator_key)
    const rotated = await call('POST', '/v1/project/secrets/rotate', operator_key, {
      which: 'callback_auth',
      grace_s: 60,
    })
    if (rotated.status === 201) planted.set(`${dialect}’s new auth key`, rotated.body.value)
    if (dialect === 'native') await useProject(operator_key, live_key)
    // Almost right, and where it does not belong.
    for (const [, value] of secretsOf(credentials)) {
      await probe('GET', '/v1/tasks', `${value.replaceAll('\n', '')}x`)
      await probe('POST', '/v1/tasks', live_key, `{"type":"x","nothing":${'['.repeat(5)}`)
      await probe('GET', '/v1/tasks?status=wrong', live_key)
    }
  }

  async function useProject(operator: string, live: string): Promise<void> {
    const token = (await call('POST', '/v1/tokens', live, { name: 'provider', value: VAULT_VALUE })).body.id
    const waiting = (await call('POST', '/v1/tasks', live, { type: 'waits' })).body
    planted.set('a callback id', waiting.callback_id)
    const [called, mailed] = await Promise.all([
      call('POST', '/v1/tasks', live, {
        request: { url: `${receiver.url}/bad`, headers: { authorization: token } },
      }),
      call('POST', '/v1/tasks', live, { callback_url: 'someone@example.com' }),
    ])
    await call('POST', `/v1/tasks/${mailed.body.id}/complete`, live, { response: 1 })
    const delivered = (await call('POST', '/v1/tasks', live, { callback_url: `${receiver.url}/good` })).body
    await call('POST', `/v1/tasks/${delivered.id}/complete`, live, { response: 1 })
    const isTried = async (id: string, path: string) =>
      (await call('GET', `/v1/tasks/${id}/${path}`, live)).body.data.length > 0
    const mailTried = async () =>
      (await call('GET', `/v1/tasks/${mailed.body.id}/deliveries`, live)).body.data[0]?.attempt_count !== 0
    while (!(heard.some((line) => line.includes('/good')) && (await isTried(called.body.id, 'attempts'))))
      await new Promise((resolve) => setImmediate(resolve))
    while (!(await mailTried())) await new Promise((resolve) => setImmediate(resolve))
    seen = called.body.id
    for (const { id } of [waiting, called.body, mailed.body, delivered]) {
      for (const path of ['', '/events', '/deliveries', '/arrivals', '/attempts'])
        await probe('GET', `/v1/tasks/${id}${path}`, operator)
      for (const delivery of (await call('GET', `/v1/tasks/${id}/deliveries`, live)).body.data)
        await probe('GET', `/v1/deliveries/${delivery.id}`, live)
    }
    await probe('GET', '/v1/tokens', live)
    await call('POST', `/v1/callbacks/${waiting.callback_id}`, undefined, '{"broken"')
    await probe('POST', `/v1/callbacks/${'0'.repeat(64)}`, undefined, {})
  }

  for (const path of ['/metrics', '/healthz', '/readyz', '/openapi.json', '/docs', '/none'])
    await probe('GET', path)
  await probe('GET', '/v1/admin/projects', adminKey)
  await probe('GET', '/v1/admin/projects', `${adminKey}x`)
  const backup = join(data, 'backup.db')
  const backedUp = await run(process.execPath, [bin, 'backup', backup, '--data', data])
  assert.equal(backedUp.code, 0, backedUp.stderr)
  const places = new Map<string, string>([
    ['the log', log.join('\n')],
    ['an answer', answers.join('\n')],
    ['the command line', await readFile(`/proc/${server.pid}/cmdline`, 'latin1')],
    ['the process’s name', await readFile(`/proc/${server.pid}/comm`, 'latin1')],
    ['what the backup printed', backedUp.stdout + backedUp.stderr],
  ])
  for (const file of await readdir(data)) places.set(file, await readFile(join(data, file), 'latin1'))
  await server.end('SIGTERM')
  places.set('the log to its end', log.join('\n'))

  assert.ok(
    heard.some((line) => line.includes(VAULT_VALUE)),
    'the vault’s value reached its provider',
  )
  const placesOf = (secret: string) =>
    [...places]
      .filter(([, content]) => formsOf(secret).some((form) => content.includes(form)))
      .map(([place]) => place)
  assert.deepEqual(
    placesOf(seen).filter((place) => !place.startsWith('ringback.db')),
    ['the log', 'an answer', 'backup.db', 'the log to its end'],
    'what is no secret is found',
  )
  const found = [...planted].flatMap(([name, secret]) =>
    placesOf(secret).map((place) => `${name} is in ${place}`),
  )
  assert.deepEqual(found, [])
  assert.ok(planted.size > 25, 'every dialect’s keys were searched for')
})
