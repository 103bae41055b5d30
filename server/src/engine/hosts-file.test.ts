import assert from 'node:assert/strict'
import { mkdtemp, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createHostsFile, parseHosts } from './hosts-file.ts'

test('lines give names their addresses; comments, blanks and nonsense are skipped', () => {
  const names = parseHosts(
    '# head\r\n127.0.0.1\tlocalhost Self # tail\r\n\n  ::1 localhost\nnonsense here\n10.0.0.300 bad\n10.0.0.1\n',
  )
  assert.deepEqual(
    [...names],
    [
      ['localhost', ['127.0.0.1', '::1']],
      ['self', ['127.0.0.1']],
    ],
  )
})

test('the file is read again after a change, but looked at only once in five seconds', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'hosts-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'hosts')
  let time = 0
  const hosts = createHostsFile({ path, now: () => time })
  assert.equal(await hosts.find('a.test'), undefined, 'a missing file is empty')

  await writeFile(path, '10.0.0.1 a.test')
  time = 4999
  assert.equal(await hosts.find('a.test'), undefined)
  time = 5000
  assert.deepEqual(await hosts.find('a.test'), ['10.0.0.1'])

  await writeFile(path, '10.0.0.2 a.test')
  await utimes(path, 1, 1)
  time = 10_000
  const both = await Promise.all([hosts.find('a.test'), hosts.find('a.test')])
  assert.deepEqual(both, [['10.0.0.2'], ['10.0.0.2']])

  await unlink(path)
  time = 15_000
  assert.equal(await hosts.find('a.test'), undefined)
})
