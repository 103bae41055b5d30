import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle, type Delivery, type RetryPolicy } from './delivery.ts'
import { parseTarget } from './destination.ts'
import { judgeReply, parseMailUrl, type MailPlace } from './mail.ts'
import { unanswered, type Outcome } from './outcome.ts'

const server = (changes: object) => ({
  kind: 'server',
  host: 'relay.test',
  port: 587,
  secure: false,
  auth: null,
  ...changes,
})

const urls: [url: string, place: object | undefined][] = [
  ['smtp://relay.test', server({})],
  ['smtp://relay.test:25/', server({ port: 25 })],
  ['smtps://relay.test', server({ port: 465, secure: true })],
  ['SMTP://[::1]:2525', server({ host: '::1', port: 2525 })],
  ['smtp://me%40a.test:p%3Aw%2F@relay.test', server({ auth: { user: 'me@a.test', pass: 'p:w/' } })],
  ['file:mail', { kind: 'folder', folder: 'mail' }],
  ['file:../a b', { kind: 'folder', folder: '../a b' }],
  ['file:///var/mail', { kind: 'folder', folder: '/var/mail' }],
  ['file:/var/mail', { kind: 'folder', folder: '/var/mail' }],
  ['file://host/mail', undefined],
  ['file:', undefined],
  ['relay.test:25', undefined],
  ['smtp:relay.test', undefined],
  ['http://relay.test', undefined],
  ['smtp://relay.test:99999', undefined],
  ['smtp://relay.test/queue', undefined],
  ['smtp://relay.test?pool=true', undefined],
  ['smtp://me@relay.test', undefined],
  ['smtp://:secret@relay.test', undefined],
  ['smtp://me:%zz@relay.test', undefined],
  ['smtp://me:a%0d%0aQUIT@relay.test', undefined],
]

test('a mail server or a folder is read from a URL, and nothing in it is passed over', () => {
  for (const [url, place] of urls) assert.deepEqual(parseMailUrl(url), place as MailPlace | undefined, url)
})

const replies: [code: number, to: 'session' | 'mail', kind: string][] = [
  [450, 'mail', 'deferred'],
  [421, 'mail', 'deferred'],
  [550, 'mail', 'refused'],
  [552, 'mail', 'refused'],
  [554, 'mail', 'refused'],
  [503, 'mail', 'deferred'],
  [530, 'mail', 'deferred'],
  [554, 'session', 'deferred'],
  [535, 'session', 'deferred'],
  [454, 'session', 'deferred'],
]

test('5xx to a mail is the last word on it; what the operator can mend is not', () => {
  for (const [code, to, kind] of replies) assert.equal(judgeReply(code, to), kind, `${code} to the ${to}`)
})

test('a refused mail is not tried again and a deferred one is, whatever the dialect thinks of statuses', () => {
  const delivery = {
    id: 'd',
    attempt_count: 0,
    unknown_count: 0,
    unknown_streak: 0,
    created_at: 0,
  } as Delivery
  const decide = (kind: Outcome['kind'], status: number, retryable: boolean) => {
    const policy: RetryPolicy = {
      waits: [5000],
      retryable: () => retryable,
      timeout_ms: 1,
      window_ms: 60_000,
    }
    const outcome = { ...unanswered('timeout', ''), kind, status }
    const fresh = { ...delivery, first_attempt_at: null, give_up_at: null, cancel_requested: 0 as const }
    const { state, reason } = settle(fresh, outcome, policy, { started_at: 0, now: 1 })
    return [state, reason]
  }
  assert.deepEqual(decide('refused', 550, true), ['failed', 'not_retryable'])
  assert.deepEqual(decide('deferred', 450, false), ['pending', null])
  assert.deepEqual(decide('deferred', 535, false), ['pending', null])
})

const addresses: [callback_url: string, address: string | null][] = [
  ['Joe.Doe+x@Mail.Test', 'Joe.Doe+x@Mail.Test'],
  ['mailto:joe@mail.test', 'joe@mail.test'],
  ['MAILTO:joe%2Bx@mail.test', 'joe+x@mail.test'],
  ['jörg@mail.test', 'jörg@mail.test'],
  ['mailto:joe@mail.test?bcc=eve@mail.test', null],
  ['mailto:joe%0d%0aRCPT TO:eve@mail.test', null],
  ['mailto:joe%0D%0ABcc%3Aeve@mail.test', null],
  ['mailto:a%00b@mail.test', null],
  ['mailto:a%C2%85b@mail.test', null],
  ['mailto:%zz@mail.test', null],
  ['joe\r\nBcc: eve@mail.test', null],
  ['joe\u2028eve@mail.test', null],
  ['joe\u0085eve@mail.test', null],
  ['joe@mail.test,eve@mail.test', null],
  ['joe@mail.test>', null],
  ['Joe <joe@mail.test>', null],
  ['joe@mail.test\n', null],
  ['joe@mail.test\0', null],
  ['joe@[127.0.0.1]', null],
  ['root@localhost', null],
  ['root@mail.localhost', null],
  ['root@relay', null],
  ['root@127.0.0.1', null],
  ['root@0x7f.0x1', null],
  ['joe@eve@mail.test', null],
  ['joe@mail_x.test', null],
  ['joe@mail..test', null],
  ['joe@mail.te\u017ft', null],
]

test('an address is one mailbox and no more, with or without mailto:', () => {
  for (const [callback_url, address] of addresses) {
    if (address === null) {
      assert.throws(() => parseTarget(callback_url), { code: 'invalid_callback_url' }, callback_url)
    } else assert.deepEqual(parseTarget(callback_url), { kind: 'mail', key: 'mailto:mail.test', address })
  }
})
