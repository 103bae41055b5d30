// Attacks on where the server connects to: every one of them wants it to reach something inside.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { signed } from '../dialects/stardust-writing.ts'
import type { Zone } from '../support/dns-server.ts'
import {
  INSIDE,
  ok,
  OUTSIDE,
  redirect,
  startHostile,
  startServer,
  startVictim,
  type RunningServer,
} from './running-server.ts'

/** Spellings of this machine, and of what forwards to it; `PORT` is where something listens. */
const loopback = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.1.',
  '127.255.255.254',
  '2130706433',
  '017700000001',
  '0x7f000001',
  '0X7F.1',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '0177.0.0.01',
  '127.0.0.0x1',
  '%31%32%37.0.0.1',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127．0．0．1',
  '127｡1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000::0001]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::80ff:fffe]',
  '[::]',
  '0.0.0.0',
  '0',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'LoCaLhOsT。',
  'ⓛocalhost',
  'local\u00ADhost',
  'a.b.localhost',
  'me:secret@127.0.0.1',
  '8.8.8.8@127.0.0.1',
]

const inside: Zone = {
  'metadata.google.internal': ['169.254.169.254'],
  'rebound.test': [INSIDE],
  'mixed.test': ['93.184.216.34', INSIDE],
  'mixed6.test': ['93.184.216.34', 'fd00:ec2::254'],
  'mapped.test': ['::ffff:127.0.0.1'],
}

/** Addresses where clouds tell a machine's credentials, and the names that lead there. */
const metadata = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '[::ffff:a9fe:a9fe]',
  '[fd00:ec2::254]',
  '[64:ff9b::a9fe:a9fe]',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'metadata.google.internal',
  'METADATA.google.internal.',
]

const forbidden = [...loopback, ...metadata, 'mixed.test', 'mixed6.test', 'mapped.test', 'rebound.test']

/** Every field of every dialect that takes a URL, by a request that has `url` in it. */
async function fieldsOf(
  server: RunningServer,
): Promise<Record<string, (url: string) => Promise<{ status: number; text: string }>>> {
  const { administer, ask, call, createProject } = server
  const [scale, superai, stardust, asyncqueue] = [
    await createProject('scale'),
    await createProject('superai'),
    await createProject('stardust'),
    await createProject('asyncqueue'),
  ]
  const scaleKey = { authorization: `Basic ${btoa(`${scale['live_key']}:`)}` }
  const fruit = { type: 'categorization', name: 'fruit', params: {} }
  await ask('POST', '/scale/v1/projects', { headers: scaleKey, json: fruit })
  const categorization = {
    instruction: '?',
    attachment_type: 'text',
    attachment: 'pear',
    categories: ['a', 'b'],
  }
  const jobs = '/superai/v1/apps/9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21/jobs'
  const superaiKey = { 'API-KEY': superai['live_key'] ?? '' }
  const accessKey = { id: stardust['access_key_id'] ?? '', secret: stardust['access_key_secret'] ?? '' }
  const queueKey = { authorization: `Bearer ${asyncqueue['live_key']}` }
  const good = `http://${OUTSIDE}/`
  const poll = { status_path: 's', done_values: ['d'], fail_values: [] }
  const pollConfig = { statusPath: 's', doneValues: ['d'], failValues: [] }
  let batches = 0
  return {
    'native callback_url': (url) => call('POST', '/v1/tasks', { callback_url: url }),
    'native request.url': (url) => call('POST', '/v1/tasks', { request: { url } }),
    'native poll.url_template': (url) =>
      call('POST', '/v1/tasks', {
        request: { url: good },
        poll: { ...poll, url_template: `${url}{startResult.body.id}` },
      }),
    'native poll.result_url_template': (url) =>
      call('POST', '/v1/tasks', {
        request: { url: good },
        poll: { ...poll, url_template: good, result_url_template: url },
      }),
    'native default_callback_url': (url) => call('PATCH', '/v1/project', { default_callback_url: url }),
    'admin default_callback_url': (url) =>
      administer('POST', '/v1/admin/projects', { name: 'new', default_callback_url: url }),
    'scale callback_url': (url) =>
      ask('POST', '/scale/v1/task/categorization', {
        headers: scaleKey,
        json: { ...categorization, callback_url: url },
      }),
    'scale batch callback': (url) =>
      ask('POST', '/scale/v1/batches', {
        headers: scaleKey,
        json: { project: 'fruit', name: `b${batches++}`, callback: url },
      }),
    'superai callbackUrl': (url) =>
      ask('POST', jobs, { headers: superaiKey, json: { inputs: [{ n: 1 }], callbackUrl: url } }),
    'superai inputsFileUrl': (url) =>
      ask('POST', jobs, { headers: superaiKey, json: { inputsFileUrl: url } }),
    'stardust resourceUrl': (url) =>
      ask('POST', '/stardust/rosetta-open/task/send', {
        headers: signed(accessKey, Date.now()),
        json: { projectId: 1, resourceUrl: url },
      }),
    'asyncqueue targetUrl': (url) =>
      ask('POST', '/asyncqueue/v1/tasks', { headers: queueKey, json: { targetUrl: url } }),
    'asyncqueue onCompleteUrl': (url) =>
      ask('POST', '/asyncqueue/v1/tasks', {
        headers: queueKey,
        json: { targetUrl: good, onCompleteUrl: url },
      }),
    'asyncqueue pollConfig.urlTemplate': (url) =>
      ask('POST', '/asyncqueue/v1/tasks', {
        headers: queueKey,
        json: { targetUrl: good, pollConfig: { ...pollConfig, urlTemplate: url } },
      }),
  }
}

/** How a refusal of an address or port reads, in whatever body the dialect has for it. */
const REFUSED = /is not public|resolves to an address that is not public|Port \d+ is closed/

/** Fails unless every field refuses every URL, and takes `good`. */
async function assertRefused(t: TestContext, server: RunningServer, urls: readonly string[], good: string) {
  for (const [field, send] of Object.entries(await fieldsOf(server))) {
    await t.test(field, async () => {
      const taken = await send(good)
      assert.ok(taken.status < 300, `${field}: ${taken.text}`)
      for (const url of urls) {
        const { status, text } = await send(url)
        assert.ok(status >= 400 && status < 500, `${field} ${url}: ${status} ${text}`)
        assert.match(text, REFUSED, `${field} ${url}`)
      }
    })
  }
}

test('no spelling of loopback or of a metadata service is taken by any field of any dialect', async (t) => {
  const server = await startServer(t, { zone: inside })
  const victim = await startVictim(t)
  const urls = forbidden.map((host) => `http://${host}:${victim.port}/`)
  await assertRefused(t, server, urls, `http://${OUTSIDE}:${victim.port}/`)
  assert.equal(victim.connections.length, 0)
})

test('no port below 1024 but 80 and 443 is taken by any field of any dialect', async (t) => {
  const server = await startServer(t, { flags: { 'egress-ports': '81' } })
  const ports = [0, 1, 22, 25, 79, 110, 143, 444, 465, 587, 1023]
  const urls = ports.flatMap((port) => [`http://${OUTSIDE}:${port}/`, `https://${OUTSIDE}:${port}/`])
  await assertRefused(t, server, urls, `http://${OUTSIDE}:81/`)
})

test('a name that was public when its task was created and leads inside when it is sent is not connected to', async (t) => {
  const server = await startServer(t, { zone: { 'rebound.test': ['93.184.216.34'] }, ttl_s: 0 })
  const { must, complete, clock, dns } = server
  const victim = await startVictim(t)
  const { id } = await must('POST', '/v1/tasks', { callback_url: `http://rebound.test:${victim.port}/` })
  dns.zone = { 'rebound.test': [INSIDE] }
  clock.time = 5000
  const { kind, error } = (await complete(id)).outcome
  assert.equal(kind, 'forbidden')
  assert.equal(error, 'The name rebound.test resolves to an address that is not public (loopback).')
  assert.equal(victim.connections.length, 0)
})

test('a name that mixes public and private addresses is refused when sent, too', async (t) => {
  const server = await startServer(t, { zone: { 'mixed.test': [OUTSIDE] }, ttl_s: 0 })
  const victim = await startVictim(t)
  const { id } = await server.must('POST', '/v1/tasks', {
    callback_url: `http://mixed.test:${victim.port}/`,
  })
  server.dns.zone = { 'mixed.test': [OUTSIDE, INSIDE] }
  server.clock.time = 5000
  assert.equal((await server.complete(id)).outcome.kind, 'forbidden')
  assert.equal(victim.connections.length, 0)
})

for (const status of [301, 302, 303, 307, 308]) {
  test(`a callback does not follow a ${status} to loopback, and a target call does not reach it`, async (t) => {
    const { deliver, callTarget } = await startServer(t)
    const victim = await startVictim(t)
    const places = [victim.url, `http://localhost:${victim.port}`, `http://[::ffff:7f00:1]:${victim.port}`]
    for (const place of places) {
      const redirecting = await startHostile(t, (socket) => socket.write(redirect(`${place}/`, status)))
      const { outcome } = await deliver(redirecting.url)
      assert.deepEqual([outcome.kind, outcome.status], ['status', status])
      const task = await callTarget({ url: redirecting.url, body: { n: 1 } })
      assert.equal(task.status, 'failed')
      assert.match(String(task.error?.message), /is not public|not public \(loopback\)/)
    }
    assert.equal(victim.connections.length, 0)
  })
}

test('a redirect to a low port, or to what is no http, is not followed', async (t) => {
  const { callTarget } = await startServer(t)
  const cases: [location: string, error: RegExp][] = [
    [`http://${OUTSIDE}:22/`, /Port 22 is closed/],
    [`https://${OUTSIDE}:25/`, /Port 25 is closed/],
  ]
  for (const [location, error] of cases) {
    const { url } = await startHostile(t, (socket) => socket.write(redirect(location)))
    assert.match(String((await callTarget({ url })).error?.message), error, location)
  }
  for (const location of ['file:///etc/passwd', 'gopher://127.0.0.1:6379/_x', 'javascript:1', '//']) {
    const { url, requests } = await startHostile(t, (socket) => socket.write(redirect(location)))
    await callTarget({ url })
    assert.equal(requests.length, 1, location)
  }
})

test('credentials stay with the origin that they were given for, through any number of redirects', async (t) => {
  const { callTarget } = await startServer(t)
  const thief = await startHostile(t, (socket) => socket.write(ok('{}')))
  const hops = await startHostile(t, (socket, request) => {
    const location = request.includes(' /first') ? '/second' : `${thief.url}/`
    socket.write(redirect(location, 307))
  })
  const secrets = { authorization: 'Bearer s3cret', 'x-api-key': 's3cret', cookie: 'a=s3cret' }
  for (const url of [`${hops.url}/first`, `${hops.url.replace('//', '//me:s3cret@')}/first`])
    await callTarget({ url, headers: url.includes('@') ? {} : secrets })
  assert.equal(thief.requests.length, 2)
  const basic = btoa('me:s3cret')
  for (const request of thief.requests) {
    assert.doesNotMatch(request, /s3cret/)
    assert.ok(!request.includes(basic))
  }
  assert.equal(
    hops.requests.filter((request) => request.includes('s3cret') || request.includes(basic)).length,
    4,
  )
})

test('a circle of redirects ends after five', async (t) => {
  const { callTarget } = await startServer(t)
  const circle = await startHostile(t, (socket) => socket.write(redirect('/')))
  const task = await callTarget({ url: circle.url })
  assert.equal(task.error?.message, 'The URL redirects more than 5 times.')
  assert.equal(circle.requests.length, 6)
})

test('a provider’s answer leads neither a poll nor the reading of the result inside', async (t) => {
  const { callTarget } = await startServer(t)
  const victim = await startVictim(t)
  const provider = await startHostile(t, (socket, request) => {
    const body = JSON.stringify({ s: 'd', id: '1', url: `${victim.url}/`, host: 'localhost' })
    assert.match(request, /^(?:GET|POST) /)
    socket.write(ok(body))
  })
  const poll = { status_path: 's', done_values: ['d'], fail_values: [], interval_s: 1 }
  const templates = [
    { url_template: '{startResult.body.url}' },
    { url_template: `http://{startResult.body.host}:${victim.port}/` },
    { url_template: `${provider.url}/`, result_url_template: '{startResult.body.url}' },
  ]
  for (const template of templates) {
    const task = await callTarget({ url: provider.url }, { poll: { ...poll, ...template } })
    assert.equal(task.status, 'failed', JSON.stringify(template))
    assert.match(String(task.error?.message), /not public/)
  }
  assert.equal(victim.connections.length, 0)
})

test('a file that a customer names is not read from inside by a redirect', { timeout: 20_000 }, async (t) => {
  const server = await startServer(t, { zone: { 'files.test': [OUTSIDE] }, ttl_s: 0 })
  const { ask, createProject } = server
  const victim = await startVictim(t)
  const redirecting = await startHostile(t, (socket) => socket.write(redirect(`${victim.url}/`)))
  const { live_key = '' } = await createProject('superai')
  const headers = { 'API-KEY': live_key }
  const app = '9a3c2f44-58c1-4c1e-bb0d-7d1a6a0e4f21'
  const { status, body } = await ask('POST', `/superai/v1/apps/${app}/jobs`, {
    headers,
    json: { inputsFileUrl: `${redirecting.url}/` },
  })
  assert.equal(status, 200)
  const shown = async () =>
    (await ask('GET', `/superai/v1/apps/${app}/batches/${String(body['batch_id'])}`, { headers })).text
  while (!/not public/.test(await shown())) await sleep(20)
  assert.equal(victim.connections.length, 0)
})

test('what looks like an address and is none leads nowhere', async (t) => {
  const { call, deliver } = await startServer(t)
  const victim = await startVictim(t)
  const noUrls = [
    '[fe80::1%25lo]',
    '[::1%25lo]',
    '127.0.0.256',
    '1.2.3.4.5',
    '0x100000000',
    '127.0.0.0x100',
    '',
  ]
  for (const host of noUrls) {
    const { status } = await call('POST', '/v1/tasks', { callback_url: `http://${host}:${victim.port}/` })
    assert.equal(status, 400, host)
  }
  for (const host of ['127.0.0.1..', '127.0.0.1.nip.test', '1.0.0.127.in-addr.arpa'])
    assert.equal((await deliver(`http://${host}:${victim.port}/`)).outcome.kind, 'dns', host)
  assert.equal(victim.connections.length, 0)
})

test(
  'the attachments and callback URLs in a customer’s file are not reached inside',
  { timeout: 20_000 },
  async (t) => {
    const { ask, createProject } = await startServer(t)
    const victim = await startVictim(t)
    const record = (uniqueIdentifier: string, callbackUrl: string) =>
      JSON.stringify({
        attachmentType: 'IMAGE',
        attachment: [`${victim.url}/a.jpg`],
        metadata: { uniqueIdentifier, additionalInfo: { callbackUrl } },
      })
    const lines = [`${victim.url}/`, 'http://localhost/', 'http://8.8.8.8:25/'].map((url, i) =>
      record(`r${i}`, url),
    )
    const files = await startHostile(t, (socket) => socket.write(ok(`${lines.join('\n')}\n`)))
    const credentials = await createProject('stardust')
    const key = {
      id: credentials['access_key_id'] ?? '',
      secret: credentials['access_key_secret'] ?? '',
    }
    const post = (path: string, json: unknown) =>
      ask('POST', `/stardust/rosetta-open${path}`, { headers: signed(key, Date.now()), json })
    const sent = await post('/task/send', { projectId: 1, resourceUrl: `${files.url}/in.jsonl` })
    const { batchId } = sent.body['data'] as unknown as { batchId: string }
    let told: { status: number; errors: { error: string }[] }
    do {
      await sleep(20)
      told = (await post('/task/send/status', { batchId })).body['data'] as unknown as typeof told
    } while (told.status !== 3)
    const errors = told.errors.map(({ error }) => error)
    assert.match(errors.join('\n'), /is not public.*\n.*is not public.*\n.*Port 25 is closed/)
    assert.equal(victim.connections.length, 0)
  },
)
