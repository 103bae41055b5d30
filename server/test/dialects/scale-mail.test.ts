// Scale's callbacks by e-mail, through a real mail server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMailUrl } from '../../src/domain/mail.ts'
import { createOpenConnect } from '../../src/engine/egress.ts'
import { createMailSender } from '../../src/engine/mail-sender.ts'
import { createResolver } from '../../src/engine/resolver.ts'
import { reply, startMailServer } from '../support/mail-server.ts'
import { using } from '../support/sender.ts'
import { startScale } from './scale-platform.ts'

test('an address gets the callback as a mail, with the same plan, and acceptance is success', async (t) => {
  const replies = [reply(450, 'mailbox busy')]
  const server = await using(
    t,
    startMailServer({ onRcptTo: (_address, _session, callback) => callback(replies.shift()) }),
  )
  const resolver = createResolver()
  t.after(() => resolver.close())
  const connect = createOpenConnect(resolver)
  const place = parseMailUrl(`smtp://127.0.0.1:${server.port}`)!
  const scale = await startScale(t, { mail: createMailSender({ place, from: 'scale@ring.test', connect }) })

  const { task_id, callback_url } = await scale.create({ callback_url: 'joe@mail.test' })
  assert.equal(callback_url, 'joe@mail.test')
  await scale.staff('complete', task_id, { response: { category: 'ripe' } })
  await scale.attempted(1)
  const { due_at } = scale.attempts.at(-1)!.settlement
  assert.ok(Math.abs(due_at! - scale.clock.now() - 15_000) <= 600)
  scale.clock.advanceTo(due_at!)
  await scale.attempted(2)
  assert.equal((await scale.get(task_id))['callback_succeeded'], true)

  assert.equal(server.mails.length, 1)
  const { from, to, text } = server.mails[0]!
  assert.deepEqual([from, to], ['scale@ring.test', ['joe@mail.test']])
  assert.match(text, new RegExp(`^subject: .*${task_id}`, 'im'))
  assert.match(text, /^content-type: text\/plain/im)
  assert.doesNotMatch(text, /live_auth_/)
  const body = text.slice(text.indexOf('\r\n\r\n')).replaceAll('=\r\n', '').replaceAll('=3D', '=')
  assert.match(
    body,
    new RegExp(`\\{"task_id":"${task_id}","status":"completed","response":\\{"category":"ripe"\\}`),
  )
})
