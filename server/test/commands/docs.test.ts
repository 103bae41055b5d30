// The commands of the documentation, as their readers run them: each page in one shell from top to bottom, in a folder that
// looks like a clone. What starts a server is stopped once it answers.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClient } from '@ringback/sdk'
import { commands } from '../../src/commands/index.ts'
import { bin, run, startDev } from './cli.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

// Installing, testing and measuring are not what a test should do again.
const notRun = /^(npm ci|npm install|npm test|npm run (bench|chaos|soak))\b/

/** Pages whose examples are made for a running `npm start`. */
const besideServer = new Set([
  'README.md',
  'docs/cli.md',
  'docs/dialects.md',
  'docs/operating.md',
  'docs/providers.md',
])

/** What the shell of a page must print beside ending well: how often `status 1` was shown. */
const refusals: Record<string, number> = { 'docs/cli.md': 2 }

/** The lines of the shell blocks of a Markdown text. */
const linesOf = (markdown: string) =>
  Array.from(markdown.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block)
    .join('')
    .split('\n')
    .flatMap((line) =>
      line
        .split(' && ')
        .filter((command) => !notRun.test(command))
        .join(' && '),
    )

// A folder without a package asks the registry, so npx is this clone's program. A server is sent a signal once it answers;
// `npm start` is done already where one runs beside the page.
const prelude = `
program() {
  case "$1" in
    dev | serve)
      # Emptied here: in the background it may be read before, with the words of the server before.
      : > server.log
      "${process.execPath}" "${bin}" "$@" >> server.log 2>&1 &
      local pid=$!
      for _ in $(seq 200); do
        if grep -qE 'The last tasks|server.listening' server.log; then kill -TERM $pid; wait $pid; return; fi
        kill -0 $pid 2>/dev/null || { cat server.log; return 1; }
        sleep 0.1
      done
      cat server.log; kill -KILL $pid; return 1 ;;
    *) "${process.execPath}" "${bin}" "$@" ;;
  esac
}
npx() { shift; program "$@"; }
npm() { [ -e data/dev.json ] || program dev; }
xargs() { local id; while read -r id; do "\${@:3}" "$id"; done; }
export -f program npx npm
`

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

/** Runs a page's commands. Ports are free ones instead of those printed, so that no other program is in the way. */
async function runPage(t: TestContext, page: string, lines: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'ringback-docs-'))
  let port = await freePort()
  if (besideServer.has(page)) {
    const { dev } = await startDev(t, join(folder, 'data'))
    ;({ port } = new URL(dev.base_url))
    // A reader of these pages has sent something.
    const { tasks } = createClient({ baseUrl: dev.base_url, key: dev.live_key })
    await tasks.complete((await tasks.create()).id, { response: 1 })
  }
  t.after(() => rm(folder, { recursive: true, force: true }))
  const script = lines
    .join('\n')
    .replaceAll('7464', port)
    .replaceAll('8080', await freePort())
    .replaceAll('/tmp/', `${folder}/`)
  const env = { HOME: folder, RINGBACK_PORT: port }
  const { code, stdout, stderr } = await run(
    'bash',
    ['-euo', 'pipefail', '-c', prelude + script],
    env,
    folder,
  )
  assert.equal(code, 0, `${stdout}${stderr}`)
  assert.equal(stdout.match(/^status 1$/gm)?.length ?? 0, refusals[page] ?? 0, stdout)
}

const docs = await readdir(join(root, 'docs'))
const pages = [
  'README.md',
  'sdk/README.md',
  ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
]
for (const page of pages) {
  const lines = linesOf(await readFile(join(root, page), 'utf8'))
  if (lines.some((line) => line !== '')) {
    test(`the commands of ${page} run as printed`, (t) => runPage(t, page, lines))
  }
}

test('docs/cli.md leaves no command out', async () => {
  const examples = linesOf(await readFile(join(root, 'docs/cli.md'), 'utf8')).map((line) => `${line} `)
  const told = commands.filter(({ name }) => !['dev', 'serve', 'migrate'].includes(name))
  for (const { name } of told) {
    assert.ok(
      examples.some((line) => line.includes(`npx ringback ${name} `)),
      name,
    )
  }
})
