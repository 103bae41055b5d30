import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Copied } from '../../src/store/copy/copy.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { fillStore } from '../support/filled.ts'
import { bin, run } from './cli.ts'

const ringback = (...args: string[]) => run(process.execPath, [bin, ...args])

test('a copy shows how far it is, what both sides have, and which key it needs', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-copy-command-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [from, to, file] = ['from', 'to', 'again.db'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await fillStore(await openSqliteDriver(join(from, 'ringback.db')), {
    url: 'http://127.0.0.1:9/',
    tasks: 5,
  })

  const told = await ringback('copy', '--from', from, '--to', to)
  assert.equal(told.code, 0, told.stderr)
  assert.match(
    told.stderr,
    /^Copying \d+ rows\.\n(\d+ of \d+ \(\d+ %\)\n)+Reading both sides to compare them\.\n/,
  )
  assert.match(told.stdout, /^TABLE +ROWS +HASH\narrivals +5 +[0-9a-f]{32}\n[^]*\ntasks +5 +[0-9a-f]{32}\n/)
  assert.match(told.stdout, /\nCopied \d+ rows in \d+\.\d s, and both sides agree\.\n/)
  assert.ok(told.stdout.includes(`\nfrom ${from}/ringback.db\nto   ${to}/ringback.db\n`), told.stdout)
  assert.match(told.stdout, /RINGBACK_SECRET_KEY/)

  const json = await ringback('copy', '--from', to, '--to', file, '--json')
  assert.deepEqual([json.code, json.stderr], [0, ''])
  const copied = JSON.parse(json.stdout) as Copied & { took_ms: number }
  assert.deepEqual([copied.from, copied.to, copied.resumed_rows], [join(to, 'ringback.db'), file, 0])
  assert.deepEqual(copied.tables.find(({ name }) => name === 'tasks')?.rows, 5)
  assert.ok(copied.took_ms > 0)

  const again = await ringback('copy', '--from', from, '--to', file)
  assert.deepEqual(
    [again.code, again.stderr],
    [1, `ringback: ${file} is not empty, it has arrivals: name an empty --to\n`],
  )
})

test('what is missing or is no place is wrong usage', async () => {
  const cases: [args: string[], message: RegExp][] = [
    [['--to', 'a'], /^ringback: --from is missing: name a data folder, a database file or postgres:\/\/…\n$/],
    [['--from', 'a', '--to', ''], /^ringback: --to is missing: /],
    [['--from', 'a', '--to', 'mysql://host/b'], /^ringback: --to is not valid: use postgres:\/\/user:/],
    [['--from', 'postgres:///b', '--to', 'a'], /^ringback: --from is not valid: use postgres:\/\/user:/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await ringback('copy', ...args)
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, message)
  }
})
