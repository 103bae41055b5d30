// `ringback dev` as a newcomer meets it: the real process, its printed commands run as they stand, its terminal, its page.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const bin = new URL('../../bin/ringback.js', import.meta.url).pathname
const DEADLINE_MS = 30_000

type Terminal = {
  /** Resolves with the first line, past or to come, that matches. */
  line(pattern: RegExp): Promise<string>
  lines: string[]
}

/** Starts `ringback dev` on a free port; it is killed when the test ends, should it still run. */
async function startDev(t: TestContext, data: string) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('RINGBACK_')),
  )
  const child = spawn(process.execPath, [bin, 'dev', '--port', '0', '--data', data], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  })
  const terminal = follow(child.stdout)
  await terminal.line(/^The last tasks/)
  const dev = JSON.parse(await readFile(join(data, 'dev.json'), 'utf8')) as Record<string, string>
  const { base_url = '', live_key = '' } = dev

  async function call(method: string, path: string, body?: string) {
    const answer = await fetch(base_url + path, {
      method,
      headers: { authorization: `Bearer ${live_key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    })
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`)
    return (await answer.json()) as { id: string; resolve_url: string }
  }
  return {
    terminal,
    base_url,
    call,
    /** Creates a task and resolves it by its inbound URL; gives the task's id. */
    async playRound(response: string, task: object = {}): Promise<string> {
      const { id, resolve_url } = await call('POST', '/v1/tasks', JSON.stringify(task))
      assert.equal((await fetch(resolve_url, { method: 'POST', body: response })).status, 200)
      return id
    },
    async page(path = '/') {
      const answer = await fetch(base_url + path)
      return { headers: answer.headers, html: await answer.text() }
    },
    /** The page once it matches. */
    async pageWith(pattern: RegExp) {
      for (const deadline = Date.now() + DEADLINE_MS; ;) {
        const seen = await this.page('/?refresh=off')
        if (pattern.test(text(seen.html))) return seen
        assert.ok(Date.now() < deadline, `The page never matched ${pattern}:\n${text(seen.html)}`)
      }
    },
    async stop() {
      child.kill('SIGTERM')
      return (await exited) as [code: number | null, signal: string | null]
    },
  }
}

function follow(stdout: NodeJS.ReadableStream): Terminal {
  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  createInterface({ input: stdout }).on('line', (line) => {
    lines.push(line)
    for (const hear of waiting) hear(line)
  })
  return {
    lines,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`No line matches ${pattern}:\n${lines.join('\n')}`)),
          DEADLINE_MS,
        )
        const hear = (line: string) => {
          if (!pattern.test(line)) return
          waiting.delete(hear)
          clearTimeout(timer)
          resolve(line)
        }
        const past = lines.find((line) => pattern.test(line))
        waiting.add(hear)
        if (past !== undefined) hear(past)
      }),
  }
}

/** Runs commands as a newcomer's shell would; gives what they print. */
const shell = async (commands: string) => (await run('bash', ['-c', commands])).stdout

/** The printed round trip: from its first line to the empty one. */
function printedCommands(lines: string[]): string {
  const from = lines.findIndex((line) => line.trimStart().startsWith('RESOLVE_URL='))
  return lines.slice(from, lines.indexOf('', from)).join('\n')
}

const unescape = (html: string) =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')

const text = (html: string) =>
  unescape(html.replace(/<style>.*<\/style>/s, '').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ')

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ringback dev's-"))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('dev plays a round trip by its printed commands, and shows failed attempts with the time of the next', async (t) => {
  const dev = await startDev(t, await temporaryFolder(t))
  const { terminal } = dev
  // Waits of a third of a second.
  await dev.call('PATCH', '/v1/project', '{"retry":{"retries":50,"window_s":20}}')

  await t.test('the page without tasks shows commands that work as they stand', async () => {
    const { html } = await dev.page()
    const commands = /<pre><code>(.*)<\/code><\/pre>/s.exec(html)?.[1] ?? ''
    assert.match(await shell(unescape(commands)), /"status":"completed"/)
    await terminal.line(
      /✓ task.completed .* attempt 1, verified, answered 200: {"label":"cat","score":0.98}$/,
    )
  })

  await t.test('the commands of the terminal work as they stand', async () => {
    const answer = await shell(printedCommands(terminal.lines))
    const { task } = JSON.parse(answer) as { task: { id: string } }
    await terminal.line(new RegExp(`✓ task.completed of task ${task.id}, attempt 1, verified`))
  })

  await t.test('the callback is shown with its numbers as they came in', async () => {
    const id = await dev.playRound('{"big": 1950000000000000001, "one": 1.0, "huge": 1E400}')
    const line = await terminal.line(new RegExp(`✓ .*${id}`))
    assert.match(line, /answered 200: {"big":1950000000000000001,"one":1.0,"huge":1E400}$/)
  })

  await t.test('a callback three times as long as the body limit arrives', async () => {
    const long = JSON.stringify('x'.repeat(1_000_000))
    const id = await dev.playRound(long, { params: { long: 'y'.repeat(1_000_000) } })
    const line = await terminal.line(new RegExp(`✓ .*${id}`))
    assert.match(line, /… \(1000002 characters\)$/)
  })

  await t.test(
    'an inbox that fails twice leaves three attempts, on the terminal and on the page',
    async () => {
      // Waits of a third of a second.
      await dev.call('PATCH', '/v1/project', '{"retry":{"retries":50,"window_s":20}}')
      const callback_url = `${dev.base_url}/dev/inbox/fail/2`
      const id = await dev.playRound('"done"', { type: '<b>bold</b>', callback_url })
      await terminal.line(
        new RegExp(`✓ task.completed of task ${id}, attempt 3, verified, answered 200: "done"$`),
      )
      for (const attempt of [1, 2]) {
        await terminal.line(new RegExp(`✗ .*${id}, attempt ${attempt}, verified, answered 500`))
        await terminal.line(
          new RegExp(
            `↻ .*${id}, attempt ${attempt} to ${callback_url}: answered 500; next attempt in .* at .* UTC$`,
          ),
        )
      }
      // The inbox has told of the third attempt before the server has its answer.
      const { html, headers } = await dev.pageWith(
        new RegExp(
          [
            `completed <b>bold</b> ${id} \\S+ m?s ago "done" delivered task.completed to ${callback_url}`,
            'Attempt Time \\(UTC\\) Outcome Took Answer',
            '1 [\\d:.]+ ✗ 500 \\d+ ms {"error":"failing 1 of 2 times"}',
            '2 [\\d:.]+ ✗ 500 \\d+ ms {"error":"failing 2 of 2 times"}',
            '3 [\\d:.]+ ✓ 200 delivered \\d+ ms {"ok":true}',
          ].join(' '),
        ),
      )
      const [style = ''] = /(?<=<style>).*(?=<\/style>)/s.exec(html) ?? []
      const policy = headers.get('content-security-policy') ?? ''
      assert.ok(
        policy.startsWith(`default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}';`),
      )
      assert.doesNotMatch(policy, /script|unsafe/)
    },
  )

  await t.test('a callback that nobody signed is refused and shown', async () => {
    const answer = await fetch(`${dev.base_url}/dev/inbox`, { method: 'POST', body: '{}' })
    assert.equal(answer.status, 401)
    await terminal.line(
      /✗ a callback that could not be verified, answered 401: The header webhook-id is missing$/,
    )
  })

  await t.test('the inbox and the page are no part of the API document', async () => {
    const document = await (await fetch(`${dev.base_url}/openapi.json`)).text()
    assert.doesNotMatch(document, /dev\/inbox|"\/":/)
  })

  assert.deepEqual(await dev.stop(), [0, null])
})

test('dev writes mails as files into its data folder, and says where', async (t) => {
  const data = await temporaryFolder(t)
  const dev = await startDev(t, data)
  await dev.terminal.line(new RegExp(`^ +mail +as files in ${data}/mail `))
  const id = await dev.playRound('{"label":"cat"}', { callback_url: 'mailto:joe@example.com' })
  await dev.terminal.line(
    new RegExp(`✓ task.completed of task ${id}, attempt 1 to mailto:joe@example.com: answered 250`),
  )
  const [name = '', ...others] = await readdir(join(data, 'mail'))
  assert.deepEqual(others, [])
  assert.match(
    await readFile(join(data, 'mail', name), 'utf8'),
    new RegExp(`^To: joe@example\\.com\r\n[^]*^Subject: task.completed of task ${id}\r$`, 'm'),
  )
  assert.deepEqual(await dev.stop(), [0, null])
})

test('a mail server without an address to send from ends dev with one sentence, and its password stays unsaid', async (t) => {
  const data = await temporaryFolder(t)
  const args = ['--data', data, '--smtp-url', 'smtp://me:passw0rd@127.0.0.1:9']
  const ended = await run(process.execPath, [bin, 'dev', ...args]).catch((error) => error)
  assert.deepEqual(
    [ended.code, ended.stderr],
    [2, 'ringback: RINGBACK_SMTP_FROM is missing: set it to the address that e-mails come from\n'],
  )
  const listed = await run(process.execPath, [bin, 'config', 'list', ...args])
  assert.match(listed.stdout, /RINGBACK_SMTP_URL +set, not shown \(flag\)/)
  assert.doesNotMatch(listed.stdout + ended.stdout, /passw0rd/)
})

test('a setting that is not valid ends dev with one sentence and status 2', async (t) => {
  const data = await temporaryFolder(t)
  const bad: [flag: string, value: string][] = [
    ['--egress-allow', 'everywhere'],
    ['--egress-allow', '10.0.0.0/33'],
    ['--egress-allow', '10.0.0.0/8/8'],
    ['--trust-proxy', '0.0.0.0/0'],
    ['--trust-proxy', 'fe80::1%lo/64'],
    ['--inbound-rate', '30'],
  ]
  for (const [flag, value] of bad) {
    const ended = await run(process.execPath, [bin, 'dev', '--data', data, flag, value]).catch(
      (error) => error,
    )
    assert.equal(ended.code, 2, ended.stderr)
    assert.match(ended.stderr, new RegExp(`^ringback: ${flag} is not valid: [^\n]+\n$`))
  }
  const listed = await run(process.execPath, [
    bin,
    'config',
    'list',
    '--trust-proxy',
    '10.0.0.0/8, ::1,fd00::/8',
  ])
  assert.match(listed.stdout, /RINGBACK_TRUST_PROXY +10.0.0.0\/8,::1,fd00::\/8 \(flag\)/)
})

test('dev on another port than before receives its callbacks there, with the same keys', async (t) => {
  const data = await temporaryFolder(t)
  const first = await startDev(t, data)
  assert.deepEqual(await first.stop(), [0, null])
  const second = await startDev(t, data)
  assert.notEqual(second.base_url, first.base_url)
  const keys = ({ terminal }: typeof first) => terminal.lines.filter((line) => line.includes(' key '))
  assert.deepEqual(keys(second), keys(first))
  const id = await second.playRound('1')
  await second.terminal.line(new RegExp(`✓ task.completed of task ${id}, attempt 1, verified`))
  assert.deepEqual(await second.stop(), [0, null])
})

test('dev believes its own callbacks after a rotation, and writes the new secret down at its next start', async (t) => {
  const data = await temporaryFolder(t)
  const file = join(data, 'dev.json')
  const first = await startDev(t, data)
  const written = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>
  const rotate = async (operator_key = '') => {
    const answer = await fetch(`${first.base_url}/v1/project/secrets/rotate`, {
      method: 'POST',
      headers: { authorization: `Bearer ${operator_key}`, 'content-type': 'application/json' },
      body: '{"which":"signing","grace_s":0}',
    })
    return (await answer.json()) as { value: string }
  }
  const { value } = await rotate(written['operator_key'])
  const id = await first.playRound('1')
  await first.terminal.line(new RegExp(`✓ task.completed of task ${id}, attempt 1, verified`))
  assert.deepEqual(await first.stop(), [0, null])

  // As a program wrote it that knew of no operator key.
  const { operator_key, ...older } = written
  await writeFile(file, JSON.stringify(older))
  const second = await startDev(t, data)
  const {
    base_url: _,
    operator_key: added,
    ...rest
  } = JSON.parse(await readFile(file, 'utf8')) as typeof written
  const { base_url: __, ...kept } = older
  assert.deepEqual(rest, { ...kept, signing_secret: value })
  assert.match(added ?? '', /^rb_op_live_/)
  assert.notEqual(added, operator_key)
  assert.deepEqual(await second.stop(), [0, null])
})
