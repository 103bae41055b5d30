import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgress } from './progress.ts'

/** What is written while these are shown of 200. */
function written(stream: { isTTY?: boolean; columns?: number }, dones: number[], env = {}): string {
  let text = ''
  const progress = createProgress({ ...stream, write: (more: string) => (text += more) }, env)
  for (const done of dones) progress.show(done, 200)
  progress.end()
  return text
}

test('a terminal gets one line that is drawn over', () => {
  assert.equal(
    written({ isTTY: true, columns: 80 }, [0, 50, 200]),
    `\r${'░'.repeat(40)} 0 of 200 (0 %)\u001B[K` +
      `\r${'█'.repeat(10)}${'░'.repeat(30)} 50 of 200 (25 %)\u001B[K` +
      `\r${'█'.repeat(40)} 200 of 200 (100 %)\u001B[K\n`,
  )
})

test('the line never fills a terminal', () => {
  for (const columns of [200, 80, 40, 25, 24, 23, 10]) {
    const [, ...lines] = written({ isTTY: true, columns }, [0, 100, 200]).split('\r')
    for (const line of lines) {
      const shown = line.replace('\u001B[K', '').trimEnd()
      assert.ok(shown.length < columns, `${columns}: ${shown}`)
    }
  }
})

test('a pipe, a file and a dumb terminal get a line for every tenth', () => {
  const lines = '0 of 200 (0 %)\n45 of 200 (22 %)\n200 of 200 (100 %)\n'
  const dones = [0, 1, 19, 45, 50, 59, 200, 200]
  assert.equal(written({}, dones), lines)
  assert.equal(written({ isTTY: true, columns: 80 }, dones, { TERM: 'dumb' }), lines)
})

test('more than there was to do is all of it', () => {
  assert.equal(written({}, [201]), '201 of 200 (100 %)\n')
})
