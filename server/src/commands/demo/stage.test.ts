import assert from 'node:assert/strict'
import { test } from 'node:test'
import { screenOf } from '../screen.ts'
import { createStage } from './stage.ts'

function stageOn(terminal: { isTTY?: boolean; columns?: number }, env = {}) {
  let text = ''
  const output = { write: (part: string) => (text += part), ...terminal }
  const times = [0, 1234]
  const stage = createStage(output, screenOf(terminal, env), { now: () => times.shift() ?? 0 })
  return { stage, written: () => text }
}

const scene = { who: 'label', mark: '✓', tone: 'green' as const, text: 'answered 200\u001B' }

test('what happened is a line with its time, and escapes of others are only shown', () => {
  const { stage, written } = stageOn({})
  stage.tell(scene)
  assert.equal(written(), ' 1.2 s  ✓ label       answered 200\\u001b\n')
})

test('a narrow terminal gets lines that fit, in colours, without the time', () => {
  const { stage, written } = stageOn({}, { COLUMNS: '20' })
  stage.tell({ ...scene, text: 'answered 200 in 3 ms' })
  assert.equal(written(), '✓ label: answered\n  200 in 3 ms\n')
})

test('on a terminal what is waited for stands below the story, and goes when it has come', () => {
  const { stage, written } = stageOn({ isTTY: true, columns: 100 }, { NO_COLOR: '1' })
  stage.await('attempt 2 of label', Date.now() + 4500)
  stage.tell({ ...scene, text: 'answered 200' })
  stage.await()
  stage.end()
  const hint = '\r\u001B[2K  attempt 2 of label in 5 s …'
  const story = '\r\u001B[2K 1.2 s  ✓ label       answered 200\n'
  assert.equal(written(), `\r\u001B[2K${hint}${story}${hint}\r\u001B[2K\r\u001B[2K`)
})

test('into a pipe nothing is said of what is waited for, and nobody is given time to read', async () => {
  const { stage, written } = stageOn({})
  stage.await('attempt 2 of label', Date.now() + 4500)
  await stage.pause(AbortSignal.abort())
  stage.end()
  assert.equal(written(), '')
})
