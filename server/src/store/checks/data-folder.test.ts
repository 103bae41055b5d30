import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checkDisk, checkFiles, checkFolder, judgeSpace, size } from './data-folder.ts'

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringback-checks-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('a folder that is there, or can be made, is fine; a file in its place is not', (t) => {
  const folder = newFolder(t)
  writeFileSync(join(folder, 'file'), '')
  assert.deepEqual(checkFolder(folder), { level: 'ok', found: `${folder} can be written`, remedy: null })
  assert.match(checkFolder(join(folder, 'a/b')).found, /does not exist yet: the first start makes it$/)
  assert.deepEqual(checkFolder(join(folder, 'file/below')), {
    level: 'fail',
    found: `${join(folder, 'file')} is a file, not a folder`,
    remedy: 'choose another RINGBACK_DATA',
  })
})

test(
  'what another user closed is named',
  { skip: process.getuid?.() === 0 && 'nothing is closed to root' },
  (t) => {
    const folder = newFolder(t)
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o500 })
    assert.equal(checkFolder(closed).level, 'fail')
    assert.equal(checkFolder(join(closed, 'below')).level, 'fail')
    const path = join(folder, 'db')
    for (const file of [path, `${path}-shm`]) writeFileSync(file, '')
    chmodSync(`${path}-shm`, 0o400)
    assert.equal(checkFiles(path).found, `not open to this user: ${path}-shm`)
  },
)

test('little room on the disk is a warning, next to none a failure', (t) => {
  assert.deepEqual(
    [0, 64 * 1024 ** 2 - 1, 64 * 1024 ** 2, 1024 ** 3 - 1, 1024 ** 3].map(
      (free) => judgeSpace(free, '/d').level,
    ),
    ['fail', 'fail', 'warn', 'warn', 'ok'],
  )
  assert.match(checkDisk(join(newFolder(t), 'a/b')).found, /^\d\S* \w+ are free for /)
})

test('sizes are said as one would', () => {
  const sizes = [0, 1023, 1024, 1536, 150 * 1024, 1024 ** 2, 1.25 * 1024 ** 3, 5000 * 1024 ** 4]
  assert.deepEqual(sizes.map(size), [
    '0 bytes',
    '1023 bytes',
    '1.0 KiB',
    '1.5 KiB',
    '150 KiB',
    '1.0 MiB',
    '1.3 GiB',
    '5000 TiB',
  ])
})
