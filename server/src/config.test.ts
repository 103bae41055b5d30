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

test('ports to open are those below 1024, and a proxy is a plain URL whose password is not told', () => {
  const { config } = readConfig(
    { 'egress-ports': '25, 1023', 'egress-proxy': 'http://me:secret@[::1]:3128' },
    {},
  )
  assert.deepEqual(config.egress_ports, [25, 1023])
  assert.equal(config.egress_proxy, 'http://me:secret@[::1]:3128')
  const none = readConfig({}, {}).config
  assert.deepEqual([none.egress_ports, none.egress_proxy], [[], null])
  for (const text of ['0', '1024', '80;81', '8o', '-1', '80-90'])
    assert.throws(() => readConfig({ 'egress-ports': text }, {}), /--egress-ports is not valid: use a whole/)
  for (const text of ['https://me:secret@p', 'socks5://me:secret@p', 'me:secret@p', 'http://me:secret@p/a?b'])
    assert.throws(
      () => readConfig({}, { RINGBACK_EGRESS_PROXY: text }),
      (error: Error) =>
        /RINGBACK_EGRESS_PROXY is not valid: use http:/.test(error.message) && !/secret/.test(error.message),
    )
})
