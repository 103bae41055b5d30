// `ringback doctor` as an operator runs it: beside a real server, on a folder at rest, and where things are wrong.
import assert from 'node:assert/strict'
import { randomBytes, hash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bin, run, startDev } from './cli.ts'

type Examined = { name: string; level: string; found: string; remedy: string | null }

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ringback-doctor-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

// Other machines have other name servers, disks and clocks.
const ofMachine = ['dns', 'disk space', 'clock']

/** Runs the command with --json, for what it finds of Ringback itself. */
async function examine(args: string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await run(process.execPath, [bin, 'doctor', '--json', ...args], env)
  const examined = (JSON.parse(stdout) as Examined[]).filter(({ name }) => !ofMachine.includes(name))
  return { code, stderr, found: new Map(examined.map((one) => [one.name, one])) }
}

const levels = (found: Map<string, Examined>, level: string) =>
  Array.from(found.values()).flatMap((one) => (one.level === level ? [one.name] : []))

const serveSettings = {
  RINGBACK_PUBLIC_URL: 'https://callbacks.example.com',
  RINGBACK_ADMIN_KEY: randomBytes(24).toString('hex'),
  RINGBACK_SECRET_KEY: randomBytes(32).toString('base64'),
}

test('beside a running server nothing fails, nothing is changed, and the server goes on', async (t) => {
  const { ringback, data, dev, stop } = await startDev(t)
  const files = await readdir(data)
  const { code, stdout, stderr } = await ringback(['doctor'])
  assert.deepEqual([code, stderr], [0, ''])
  const lines = stdout.trimEnd().split('\n')
  const expected = [
    /^ok    settings        1 given, and all of them valid$/,
    /^ok    serve settings  `dev` needs none; `serve` would need RINGBACK_PUBLIC_URL, /,
    /^ok    data folder     \S+ can be written$/,
    /^ok    database files  \S+ can be read and written, /,
    /^ok    lock            a running process is using the database$/,
    /^ok    schema          it has schema version \d+, as this program$/,
    /^ok    integrity       the database file is sound$/,
    /^\w+ +disk space      \S+ \w+ are free for /,
    /^\w+ +clock           it /,
    /^\w+ +dns             /,
    /^ok    egress          callbacks may go to public addresses, and as `dev` this machine only$/,
    /^ok    mail            the folder \S+mail takes e-mails$/,
    /^ok    public url      none is given; /,
    /^ok    server          http:\S+ is ready$/,
    /^(All is well|Nothing failed; .*)\.$/,
  ]
  assert.equal(lines.length, expected.length, stdout)
  for (const [index, line] of lines.entries()) assert.match(line, expected[index]!)
  assert.deepEqual(await readdir(data), files)

  await t.test('a callback URL is judged as that server would', async () => {
    const inbox = await examine(['--callback-url', `${dev.base_url}/dev/inbox`], { RINGBACK_DATA: data })
    assert.equal(inbox.code, 0)
    assert.match(
      inbox.found.get('callback url')?.found ?? '',
      /is allowed: it would be connected to at 127\.0\.0\.1$/,
    )
    const inside = await examine(['--callback-url', 'http://10.0.0.1/hook'], { RINGBACK_DATA: data })
    assert.deepEqual([inside.code, levels(inside.found, 'fail')], [1, ['callback url']])
    assert.equal(inside.stderr, 'ringback: 1 of 15 checks failed\n')
  })

  await t.test('in 40 columns every line fits', async () => {
    const narrow = await ringback(['doctor'], { COLUMNS: '40' })
    for (const line of narrow.stdout.split('\n')) assert.ok(line.length <= 40, line)
  })

  await t.test('a folder at rest is left as it is', async () => {
    assert.match((await ringback(['task', 'create', '--quiet'])).stdout, /^\S{36}\n$/)
    await stop()
    const contents = async () =>
      Promise.all(
        (await readdir(data)).map(async (name) => [name, hash('sha256', await readFile(join(data, name)))]),
      )
    const before = await contents()
    const { code, found } = await examine([], { RINGBACK_DATA: data })
    assert.equal(code, 0)
    assert.deepEqual(levels(found, 'warn'), ['server'])
    assert.equal(found.get('lock')?.found, 'no process is using the database')
    assert.equal(found.get('integrity')?.found, 'the database file is sound')
    assert.deepEqual(await contents(), before)
  })
})

test('settings are all looked at, and the other checks go on with those that are valid', async (t) => {
  const data = await newFolder(t)
  const { code, stderr, found } = await examine(['--port', 'many'], {
    RINGBACK_DATA: data,
    RINGBACK_PUBLIC_URL: 'http://callbacks.example.com',
    RINGBACK_EGRESS_ALLOW: '10.0.0.0/33',
    RINGBACK_DATABASE: 'x',
  })
  assert.equal(code, 1)
  assert.match(stderr, /^ringback: \d of 14 checks failed\n$/)
  assert.equal(
    found.get('settings')?.found,
    'RINGBACK_DATABASE is not a setting: remove it, or see `ringback config list` for those there are; --port is not valid: use a whole number from 0 to 65535; RINGBACK_EGRESS_ALLOW is not valid: 10.0.0.0/33 is no range such as 10.0.0.0/8 or fd00::/8',
  )
  assert.equal(found.get('serve settings')?.found, 'RINGBACK_ADMIN_KEY, RINGBACK_SECRET_KEY are missing')
  assert.equal(
    found.get('egress')?.found,
    'RINGBACK_EGRESS_ALLOW is not valid: 10.0.0.0/33 is no range such as 10.0.0.0/8 or fd00::/8',
  )
  assert.equal(found.get('server')?.found, '--port is not valid: use a whole number from 0 to 65535')
  assert.equal(found.get('public url')?.level, 'warn')
  assert.match(found.get('schema')?.found ?? '', /^there is no database yet$/)
  assert.deepEqual(await readdir(data), [])
})

test('for `serve` everything given is fine, and what is opened is told', async (t) => {
  const env = { ...serveSettings, RINGBACK_DATA: await newFolder(t), RINGBACK_EGRESS_ALLOW: '10.0.0.0/8' }
  const { found } = await examine([], env)
  assert.deepEqual(levels(found, 'fail'), [])
  assert.equal(found.get('serve settings')?.found, 'all that `serve` must have is given')
  assert.equal(found.get('egress')?.found, 'RINGBACK_EGRESS_ALLOW opens 10.0.0.0/8')
  assert.equal(found.get('public url')?.found, 'https://callbacks.example.com is encrypted')
  assert.equal(
    found.get('mail')?.found,
    'no RINGBACK_SMTP_URL is given, so callbacks to e-mail addresses are refused',
  )
})

test('a server that was named and a broken dev.json are failures of their own', async (t) => {
  const data = await newFolder(t)
  const named = await examine([], { RINGBACK_DATA: data, RINGBACK_URL: 'http://127.0.0.1:1024' })
  assert.deepEqual([named.code, levels(named.found, 'fail')], [1, ['server']])
  await writeFile(join(data, 'dev.json'), '{')
  const broken = await examine([], { RINGBACK_DATA: data })
  assert.deepEqual([broken.code, levels(broken.found, 'fail')], [1, ['server']])
  assert.match(broken.found.get('server')?.found ?? '', /^could not be checked: .*JSON/)
})

test('a callback URL that is none is wrong usage', async () => {
  for (const url of ['somewhere', 'ftp://example.com/', 'me@example.com']) {
    const { code, stdout, stderr } = await run(process.execPath, [bin, 'doctor', '--callback-url', url])
    assert.deepEqual([code, stdout], [2, ''])
    assert.equal(stderr, 'ringback: --callback-url is not valid: use an absolute http(s) URL\n')
  }
})
