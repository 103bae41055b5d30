import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import type { Page } from '../domain/page.ts'
import type { Task } from '../domain/task.ts'
import type { Scope } from '../domain/project.ts'
import type { TaskFilter } from '../store/store.ts'
import { chunksOf, listAnswer, membersBehind } from './task-list.ts'

const taskOf = (id: string, length = 1) => ({ id, params: 'x'.repeat(length) }) as Task

const frame = {
  before: '{"rows":[',
  present: ({ id, params }: Task) => ({ id, length: params.length, params }),
  behind: ({ count, last_id, has_more }: { count: number; last_id: string | null; has_more: boolean }) =>
    membersBehind({ count, last_id, has_more }),
}

async function* given(...pages: (Page<Task> | Error)[]): AsyncGenerator<Page<Task>> {
  for (const page of pages) {
    if (page instanceof Error) throw page
    yield page
  }
}

test('a short list is a text, however many chunks it comes in', async () => {
  const answer = await listAnswer(
    given(
      { rows: [taskOf('a'), taskOf('b')], has_more: true },
      { rows: [], has_more: true },
      { rows: [taskOf('c')], has_more: true },
    ),
    frame,
  )
  assert.ok(typeof answer === 'string')
  const { rows, ...rest } = JSON.parse(answer) as { rows: { id: string }[] }
  assert.deepEqual(
    [rows.map(({ id }) => id), rest],
    [['a', 'b', 'c'], { count: 3, last_id: 'c', has_more: true }],
  )
  const none = await listAnswer(given({ rows: [], has_more: false }), frame)
  assert.equal(none, '{"rows":[],"count":0,"last_id":null,"has_more":false}')
})

const MIB = 1024 * 1024
const large = (...ids: string[]) => ({ rows: ids.map((id) => taskOf(id, 3 * MIB)), has_more: true })

test('a long one is a stream, and reads no further than it is read', async () => {
  let read = 0
  async function* counted() {
    for (const id of 'abcdefgh') {
      read++
      yield large(id)
    }
  }
  const answer = await listAnswer(counted(), frame)
  assert.ok(typeof answer !== 'string')
  assert.equal(read, 1)
  const parts = answer.iterator({ destroyOnReturn: false })
  const { value: begin } = (await parts.next()) as { value: string }
  await nextTurn()
  // The one that is given, the one behind it, and one being made.
  assert.ok(read <= 3, `${read} were read for one that was taken`)
  const whole = begin + (await text(answer))
  const { rows, count } = JSON.parse(whole) as { rows: { length: number }[]; count: number }
  assert.deepEqual([rows.length, rows.every(({ length }) => length === 3 * MIB), count], [8, true, 8])
})

test('only the first part of a list may be refused, for the others have been promised', async () => {
  const asked: (boolean | undefined)[] = []
  const store = {
    async findTasks(
      _scope: Scope,
      _filter: TaskFilter,
      { limit, goes_on }: { limit: number; goes_on?: boolean },
    ) {
      asked.push(goes_on)
      return { rows: Array.from({ length: limit }, (_, i) => taskOf(`${i}`)), has_more: true }
    },
  }
  const scope = { project_id: 'p', mode: 'live' } as const
  const chunks = chunksOf(store, scope, { filter: {}, range: { order: 'oldest', limit: 250 } })
  const sizes: number[] = []
  for await (const { rows } of chunks) sizes.push(rows.length)
  assert.deepEqual(
    [sizes, asked],
    [
      [100, 100, 50],
      [false, true, true],
    ],
  )
})

test('what fails on the way ends no list as if it were whole', async () => {
  await assert.rejects(
    listAnswer(given({ rows: [taskOf('a')], has_more: true }, new Error('gone')), frame),
    /gone/,
  )
  const answer = await listAnswer(given(large('a', 'b'), new Error('gone')), frame)
  assert.ok(typeof answer !== 'string')
  await assert.rejects(text(answer), /gone/)
})
