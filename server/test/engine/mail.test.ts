// Callbacks to e-mail addresses from the event to the mailbox: the whole engine, real mail servers.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SMTPServerOptions } from 'smtp-server'
import { parseMailUrl } from '../../src/domain/mail.ts'
import { createOpenConnect } from '../../src/engine/egress.ts'
import { createMailSender } from '../../src/engine/mail-sender.ts'
import { createResolver } from '../../src/engine/resolver.ts'
import { startEngine, startWorld, type World } from '../support/engine.ts'
import { reply, startMailServer } from '../support/mail-server.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { using } from '../support/sender.ts'

/** Starts an engine that hands its mails over where `url` says. */
function startMailing(t: TestContext, world: World, url: string) {
  const resolver = createResolver()
  t.after(() => resolver.close())
  const connect = createOpenConnect(resolver)
  const mail = createMailSender({ place: parseMailUrl(url)!, from: 'callbacks@ring.test', connect })
  return startEngine(t, world, { mail })
}

const startServer = (t: TestContext, options?: SMTPServerOptions) => using(t, startMailServer(options))

const destinationsOf = async ({ store, project }: World) =>
  (await store.listDestinations({ project_id: project.id, mode: 'live' }, { limit: 10, after: null })).rows

const headersOf = (text: string) =>
  Object.fromEntries(
    text
      .slice(0, text.indexOf('\r\n\r\n'))
      .replaceAll(/\r\n[ \t]/g, ' ')
      .split('\r\n')
      .map((line) => line.split(': '))
      .map(([name = '', value]) => [name.toLowerCase(), value]),
  ) as Record<string, string>

test('each event is one mail that names event, task and delivery, and a re-send is another', async (t) => {
  const world = await startWorld(t)
  const server = await startServer(t)
  const { attempted } = await startMailing(t, world, `smtp://127.0.0.1:${server.port}`)
  const task = await world.completeTask('mailto:joe@Mail.test')
  await world.apply(task, 'edit', { response: '{"n":1.0}' })
  await attempted(2)
  const sent = await world.deliveries(task.id)
  const last = sent.find(({ event_type }) => event_type === 'task.edited')!
  await world.resend(last)
  await attempted(3)

  const headers = server.mails.map(({ text }) => headersOf(text))
  assert.deepEqual(
    headers.map(({ subject, 'ringback-event': event }) => [subject, event]),
    ['task.completed', 'task.edited', 'task.edited'].map((event) => [`${event} of task ${task.id}`, event]),
  )
  const [, edited = {}, again = {}] = headers
  assert.deepEqual([edited['ringback-delivery'], edited['message-id']], [last.id, `<${last.id}@ring.test>`])
  assert.deepEqual(
    [edited['webhook-id'], edited['ringback-task'], edited['ringback-attempt'], edited['ringback-resend']],
    [last.event_id, task.id, '1', undefined],
  )
  assert.deepEqual([again['webhook-id'], again['ringback-resend']], [last.event_id, '1'])
  assert.notEqual(again['message-id'], edited['message-id'])
  assert.ok(server.mails.every(({ to, text }) => to[0] === 'joe@Mail.test' && !/rb_auth|whsec/.test(text)))
  assert.deepEqual(
    (await destinationsOf(world)).map(({ key }) => key),
    ['mailto:mail.test'],
  )
})

test('what a caller put into a task stays in the body of its mail', async (t) => {
  const world = await startWorld(t)
  const server = await startServer(t)
  const { attempted } = await startMailing(t, world, `smtp://127.0.0.1:${server.port}`)
  const hostile = 'x\r\nBcc: eve@mail.test\r\n\r\n.\r\nRCPT TO:<eve@mail.test>'
  const task = await world.createTask('joe@mail.test', {
    unique_id: hostile,
    external_id: hostile,
    type: hostile,
    metadata: JSON.stringify({ [hostile]: hostile }),
  })
  await world.apply(task, 'complete', { response: JSON.stringify(hostile) })
  await attempted(1)
  assert.equal(server.mails.length, 1)
  const { to, text } = server.mails[0]!
  assert.deepEqual(to, ['joe@mail.test'])
  const headers = headersOf(text)
  assert.equal(headers['to'], 'joe@mail.test')
  assert.ok(!('bcc' in headers) && !Object.values(headers).some((value) => value.includes('eve')))
})

test('a mail that is deferred is tried again on the plan, with every reply in its log', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const replies = [reply(450, 'mailbox busy'), reply(421, 'come back')]
  const server = await startServer(t, {
    onRcptTo: (_address, _session, callback) => callback(replies.shift()),
  })
  const { attempts, attempted } = await startMailing(t, world, `smtp://127.0.0.1:${server.port}`)
  const task = await world.completeTask('joe@mail.test')
  for (let made = 1; made <= 2; made++) {
    await attempted(made)
    const { settlement } = attempts.at(-1)!
    assert.equal(settlement.state, 'pending')
    clock.advanceTo(settlement.due_at!)
  }
  await attempted(3)
  assert.deepEqual(
    attempts.map(({ attempt: { number, outcome, status, response_body } }) => [
      number,
      outcome,
      status,
      response_body,
    ]),
    [
      [1, 'deferred', 450, '450 mailbox busy'],
      [2, 'deferred', 421, '421 come back'],
      [3, 'delivered', 250, '250 taken'],
    ],
  )
  assert.equal(headersOf(server.mails[0]!.text)['ringback-attempt'], '3')
  assert.equal((await world.store.findTask(task, task.id))?.callback_succeeded, 1)
})

test('a refused mail ends its delivery at once; neither breaker nor pause falls on its domain', async (t) => {
  const clock = createManualClock()
  const world = await startWorld(t, { clock })
  const server = await startServer(t, {
    onRcptTo: ({ address }, _session, callback) =>
      callback(address.startsWith('nobody') ? reply(550, 'no such user') : null),
  })
  const { attempts, attempted } = await startMailing(t, world, `smtp://127.0.0.1:${server.port}`)
  const task = await world.completeTask('nobody@mail.test')
  await attempted(1)
  const { state, reason, attempt_count } = (await world.deliveries(task.id))[0]!
  assert.deepEqual([state, reason, attempt_count], ['failed', 'not_retryable', 1])
  assert.equal((await world.store.findTask(task, task.id))?.callback_succeeded, 0)
  const { outcome, attempt } = attempts[0]!
  assert.deepEqual(
    [outcome.kind, attempt.status, attempt.response_body],
    ['refused', 550, '550 no such user'],
  )

  await Promise.all(Array.from({ length: 30 }, () => world.completeTask('nobody@mail.test')))
  await attempted(31)
  clock.advance(2 * 86_400_000)
  await world.completeTask('nobody@mail.test')
  await attempted(32)
  clock.advance(10_000)
  await world.completeTask('joe@mail.test')
  await attempted(33)
  const { opened_at, paused_at, failing_since } = (await destinationsOf(world))[0]!
  assert.deepEqual([opened_at, paused_at, failing_since], [null, null, null])
  assert.equal(server.mails.length, 1)
})

test('a mail server that takes nobody in opens the breaker, as one that is not there does', async (t) => {
  for (const [what, status] of [
    ['sends everybody away', 554],
    ['sends everybody away for now', 421],
    ['takes no password of ours', 535],
  ] as const) {
    await t.test(what, async (t) => {
      const world = await startWorld(t)
      const server = await startServer(t, {
        allowInsecureAuth: true,
        onConnect: (_session, callback) => callback(status === 535 ? null : reply(status, 'no')),
        onAuth: (_auth, _session, callback) => callback(reply(535, 'no')),
      })
      const { attempts, attempted } = await startMailing(
        t,
        world,
        `smtp://me:secret@127.0.0.1:${server.port}`,
      )
      await Promise.all(Array.from({ length: 12 }, () => world.completeTask('joe@mail.test')))
      await attempted(12)
      assert.ok(
        attempts.every(
          ({ outcome, settlement }) => outcome.status === status && settlement.state === 'pending',
        ),
      )
      while ((await destinationsOf(world))[0]!.opened_at === null) await new Promise(setImmediate)
    })
  }
})

test('a mail domain that hangs does not delay another', async (t) => {
  const world = await startWorld(t)
  const server = await startServer(t, {
    onRcptTo: ({ address }, _session, callback) => {
      if (address.endsWith('@hung.test')) return
      callback()
    },
  })
  const { attempted, attempts } = await startMailing(t, world, `smtp://127.0.0.1:${server.port}`)
  await Promise.all(Array.from({ length: 80 }, () => world.completeTask('joe@hung.test')))
  await Promise.all(Array.from({ length: 10 }, () => world.completeTask('joe@mail.test')))
  await attempted(10)
  assert.ok(
    attempts.every(
      ({ delivery, outcome }) => delivery.url === 'joe@mail.test' && outcome.kind === 'delivered',
    ),
  )
})

test('into a folder mails go as files', async (t) => {
  const world = await startWorld(t)
  const folder = await mkdtemp(join(tmpdir(), 'ringback-mail-'))
  t.after(() => rm(folder, { recursive: true }))
  const { attempted } = await startMailing(t, world, `file:${folder}`)
  const task = await world.completeTask('joe@mail.test')
  await attempted(1)
  const { id, state } = (await world.deliveries(task.id))[0]!
  assert.equal(state, 'delivered')
  assert.deepEqual(await readdir(folder), [`${id}.eml`])
  assert.match(await readFile(join(folder, `${id}.eml`), 'utf8'), /^To: joe@mail\.test\r$/m)
})

test('an address of a server that sends no mail any more keeps being tried', async (t) => {
  const world = await startWorld(t)
  const { attempts, attempted } = await startEngine(t, world)
  await world.completeTask('joe@mail.test')
  await attempted(1)
  assert.deepEqual([attempts[0]!.outcome.kind, attempts[0]!.settlement.state], ['connection', 'pending'])
})
