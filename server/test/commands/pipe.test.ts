import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bin, run, startDev } from './cli.ts'

test('a command whose reader has gone ends quietly', async (t) => {
  const { data } = await startDev(t)
  const script = `"${process.execPath}" "${bin}" doctor | head -1; exit "\${PIPESTATUS[0]}"`
  const { code, stdout, stderr } = await run('bash', ['-c', script], { RINGBACK_DATA: data })
  assert.deepEqual([code, stderr, stdout.split('\n').length], [0, '', 2])
})
