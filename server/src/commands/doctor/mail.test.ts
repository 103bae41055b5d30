import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMail } from '../../app.ts'
import { parseMailUrl } from '../../domain/mail.ts'
import { createResolver } from '../../engine/resolver.ts'
import { reply, startMailServer } from '../../../test/support/mail-server.ts'
import { using } from '../../../test/support/sender.ts'
import { checkMail } from './mail.ts'

const check = (url: string, smtp_from: string | null = 'ring@a.test') =>
  checkMail({ smtp_url: parseMailUrl(url)!, smtp_from }, { create: createMail, resolver: createResolver() })

test('a mail server is greeted and logged in to, and no mail is sent', async (t) => {
  const server = await using(t, startMailServer({ allowInsecureAuth: true }))
  assert.deepEqual(await check(`smtp://me:secret@127.0.0.1:${server.port}`), {
    level: 'ok',
    found: `127.0.0.1:${server.port} takes e-mails`,
    remedy: null,
  })
  assert.deepEqual(server.mails, [])
})

test('one that is not there or does not want us is a failure, without the password', async () => {
  const server = await startMailServer({
    allowInsecureAuth: true,
    onAuth: (_login, _session, callback) => callback(reply(535, 'no')),
  })
  const url = `smtp://me:secret@127.0.0.1:${server.port}`
  const refused = await check(url)
  await server[Symbol.asyncDispose]()
  const gone = await check(url)
  assert.deepEqual([refused.level, gone.level], ['fail', 'fail'])
  assert.match(
    refused.found,
    /takes none: The mail server did not accept the user and password of RINGBACK_SMTP_URL$/,
  )
  assert.match(gone.found, /takes none: The receiver refused the connection \(ECONNREFUSED\)$/)
  assert.doesNotMatch(refused.found + gone.found, /secret/)
})

test('a mail server without an address to send from is named as such', async () => {
  await assert.rejects(check('smtp://relay.test', null), { message: /^RINGBACK_SMTP_FROM is missing: / })
})
