// Scale's own Node client, as it was published, against a running server: with the test file that it ships, in a mocha of its time.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run, startDev } from '../commands/cli.ts'
import { onPostgres } from '../support/database.ts'

const require = createRequire(import.meta.url)
const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url))

test(
  'all tests that Scale’s Node client ships pass',
  { skip: onPostgres && 'dev runs on SQLite' },
  async (t) => {
    const { dev } = await startDev(t, undefined, { NODE_OPTIONS: `--require "${beside('no-names.cjs')}"` })
    const created = await fetch(`${dev.base_url}/v1/admin/projects`, {
      method: 'POST',
      headers: { authorization: `Bearer ${dev.admin_key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'client', dialect: 'scale' }),
    })
    const { credentials } = (await created.json()) as { credentials: { test_key: string } }
    const { code, stdout, stderr } = await run(
      process.execPath,
      [
        require.resolve('mocha/bin/_mocha'),
        '--reporter=json',
        '--require',
        beside('scale-redirect.cjs'),
        require.resolve('scaleapi/test/test_client.js'),
      ],
      { SCALE_TEST_API_KEY: credentials.test_key, SCALE_BASE_URL: `${dev.base_url}/scale/v1` },
    )
    assert.equal(code, 0, `${stdout}${stderr}`)
    const { stats } = JSON.parse(stdout) as { stats: Record<'passes' | 'failures' | 'pending', number> }
    assert.deepEqual([stats.passes, stats.failures, stats.pending], [28, 0, 0])
  },
)
