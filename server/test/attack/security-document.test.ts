// The table of attacks in SECURITY.md names tests that exist.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const SERVER = new URL('../../', import.meta.url)
// `folder/file` › title; a title that depends on its case has … in the place of that.
const NAMED = /`([^`]+)` › ([^|]+?)(?=; `| \|)/g

/** The text of a test's file: quotes in titles are written as they are read. */
async function textOf(name: string): Promise<string> {
  const path = `${name.replace(/^a\//, 'test/attack/')}.test.ts`
  return (await readFile(new URL(path, SERVER), 'utf8')).replaceAll("\\'", "'")
}

test('every attack in SECURITY.md has its test', async () => {
  const document = await readFile(new URL('../SECURITY.md', SERVER), 'utf8')
  const rows = document.split('\n').filter((line) => line.includes(' › '))
  assert.ok(rows.length > 80)
  for (const row of rows) {
    const named = [...row.matchAll(NAMED)]
    assert.ok(named.length > 0, row)
    for (const [, name = '', title = ''] of named) {
      const text = await textOf(name)
      for (const part of title.split('…')) assert.ok(text.includes(part.trim()), `${name} › ${title}`)
    }
  }
})
