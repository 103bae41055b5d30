// The examples of docs/cli.md, as their readers run them: one shell from top to bottom, beside a running server.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { clientOf } from '../../src/commands/client/exchange.ts'
import { commands } from '../../src/commands/index.ts'
import { bin, run, startDev } from './cli.ts'

const page = new URL('../../../docs/cli.md', import.meta.url)

/** The shell blocks of a Markdown text. */
const blocks = (markdown: string) =>
  Array.from(markdown.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block)

test('the examples of docs/cli.md run as printed, and leave no command out', async (t) => {
  const { data, dev } = await startDev(t)
  // Waits of a third of a second.
  const client = clientOf({ url: dev.base_url, key: dev.live_key })
  await client.project.update({ retry: { retries: 50, window_s: 20 } })
  const examples = blocks(await readFile(page, 'utf8')).join('')
  // A folder without a package asks the registry, so npx is this clone's program.
  const npx = `npx() { shift; "${process.execPath}" "${bin}" "$@"; }; export -f npx\n`
  const xargs = `xargs() { local id; while read -r id; do "\${@:3}" "$id"; done; }\n`
  const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', npx + xargs + examples], {
    RINGBACK_DATA: data,
  })
  assert.equal(code, 0, stdout + stderr)
  assert.equal(stdout.match(/^status 1$/gm)?.length, 2, stdout)
  const told = commands.filter(({ name }) => !['dev', 'serve', 'migrate'].includes(name))
  for (const { name } of told)
    assert.ok(examples.includes(`npx ringback ${name} `) || examples.includes(`npx ringback ${name}\n`), name)
})
