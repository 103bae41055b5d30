import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { ConfigError, mailOf, readConfig } from './config.ts'

const mailWith = (env: Record<string, string>) => mailOf(readConfig({}, env).config)

test('a mail server needs an address that mails come from, and a folder makes one up', () => {
  const server = { RINGBACK_SMTP_URL: 'smtp://me:secret@relay.test' }
  assert.equal(mailWith({}), null)
  assert.equal(mailWith({ ...server, RINGBACK_SMTP_FROM: 'ring@a.test' })?.from, 'ring@a.test')
  assert.deepEqual(mailWith({ RINGBACK_SMTP_URL: 'file:mail' }), {
    place: { kind: 'folder', folder: resolve('mail') },
    from: 'ringback@localhost',
  })
  assert.throws(() => mailWith(server), {
    name: 'ConfigError',
    message: 'RINGBACK_SMTP_FROM is missing: set it to the address that e-mails come from',
  })
})

test('a setting for mails that is not valid is named with its remedy, and its password is not told', () => {
  const cases: [variable: string, value: string, remedy: RegExp][] = [
    ['RINGBACK_SMTP_URL', 'http://me:secret@relay.test', /use smtp:\/\/user:password@host:port, smtps:/],
    ['RINGBACK_SMTP_URL', 'smtp://me:secret@relay.test/?tls=no', /use smtp:/],
    ['RINGBACK_SMTP_FROM', 'secret', /use an e-mail address alone, such as callbacks@example\.com/],
    ['RINGBACK_SMTP_FROM', 'Ring <ring@a.test>', /use an e-mail address alone/],
    ['RINGBACK_SMTP_FROM', 'mailto:ring@a.test', /use an e-mail address alone/],
    ['RINGBACK_SMTP_FROM', 'ring@a.test\r\nBcc: eve@a.test', /use an e-mail address alone/],
    ['RINGBACK_SMTP_FROM', 'https://ring@a.test', /use an e-mail address alone/],
  ]
  for (const [variable, value, remedy] of cases) {
    assert.throws(
      () => readConfig({}, { [variable]: value }),
      (error: Error) => {
        assert.ok(
          error instanceof ConfigError && error.message.startsWith(`${variable} is not valid: `),
          value,
        )
        assert.match(error.message, remedy)
        assert.doesNotMatch(error.message, /secret/)
        return true
      },
    )
  }
})
