// The list of tasks: both ways to page, and every filter.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { categorization, startScale, type Shown } from './scale-platform.ts'

type Listed = {
  docs: Shown[]
  total: number
  limit: number
  offset: number
  has_more: boolean
  next_token?: string
}

const lister =
  ({ customer }: Awaited<ReturnType<typeof startScale>>) =>
  async (query: string): Promise<Listed> => {
    const { status, body, text } = await customer('GET', `/tasks?${query}`)
    assert.equal(status, 200, text)
    return body as unknown as Listed
  }

test('a list is paged by offset and by token, newest first, and says what its clients index', async (t) => {
  const scale = await startScale(t)
  const list = lister(scale)
  assert.deepEqual(await list(''), { docs: [], total: 0, limit: 100, offset: 0, has_more: false })
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.unshift((await scale.create({ callback_url: null })).task_id)
  const idsOf = ({ docs }: Listed) => docs.map(({ task_id }) => task_id)

  const first = await list('limit=2')
  assert.deepEqual(idsOf(first), ids.slice(0, 2))
  assert.deepEqual([first.total, first.limit, first.offset, first.has_more], [5, 2, 0, true])
  const byOffset = await list('limit=2&offset=4')
  assert.deepEqual([idsOf(byOffset), byOffset.has_more, byOffset.offset], [ids.slice(4), false, 4])
  assert.deepEqual(idsOf(await list('offset=9')), [])

  const seen = idsOf(first)
  for (let page = first; page.has_more;) {
    page = await list(`limit=2&next_token=${encodeURIComponent(page.next_token!)}`)
    seen.push(...idsOf(page))
    assert.equal(page.total, 5)
    assert.equal('next_token' in page, page.has_more)
  }
  assert.deepEqual(seen, ids)
  const both = await list(`limit=2&offset=3&next_token=${encodeURIComponent(first.next_token!)}`)
  assert.deepEqual(idsOf(both), ids.slice(2, 4))
})

test('every filter finds its own, alone and together, and unknown keys do no harm', async (t) => {
  const scale = await startScale(t)
  const list = lister(scale)
  const { clock, customer, staff } = scale
  for (const name of ['fruit', 'nuts']) await customer('POST', '/projects', { name, type: 'categorization' })
  await customer('POST', '/batches', { name: 'fruit/01', project: 'fruit' })

  /** Tasks by the name under which the table below knows them, a second apart. */
  const names = new Map<string, string>()
  const made: Record<string, object> = {
    done: { project: 'fruit', tags: ['a'], unique_id: 'u1' },
    failed: { project: 'nuts', tags: ['b', 'c'], unique_id: 'u2' },
    canceled: { batch: 'fruit/01' },
    good: { tags: ['x,y'] },
    open: { unique_id: 'u3' },
  }
  const start = clock.now()
  const at = (seconds: number) => new Date(start + seconds * 1000).toISOString()
  for (const [name, changes] of Object.entries(made)) {
    names.set((await scale.create({ callback_url: null, ...changes })).task_id, name)
    clock.advance(1000)
  }
  const audio = await customer('POST', '/task/audiotranscription', { attachment: 'https://a.test/1.wav' })
  names.set(String(audio.body['task_id']), 'audio')
  const idOf = (name: string) => [...names].find(([, known]) => known === name)![0]
  clock.advance(4000)
  await staff('complete', idOf('done'), { response: {} })
  clock.advance(1000)
  await staff('fail', idOf('failed'), { error: { message: 'x' } })
  await staff('cancel', idOf('canceled'))
  clock.advance(1000)
  await staff('complete', idOf('good'), { response: {} })
  clock.advance(1000)
  await customer('POST', `/task/${idOf('good')}/audit`, { accepted: true })

  const all = ['audio', 'open', 'good', 'canceled', 'failed', 'done']
  const rows: [query: string, names: string[]][] = [
    ['foo=bar&status=&include_attachment_url=True', all],
    ['status=pending', ['audio', 'open']],
    ['status=completed', ['good', 'done']],
    ['status=error', ['failed']],
    ['status=canceled', ['canceled']],
    ['status=error&status=canceled', ['canceled', 'failed']],
    ['type=audiotranscription', ['audio']],
    ['type=annotation', []],
    ['project=fruit', ['canceled', 'done']],
    ['project=fruit&project=nuts', ['canceled', 'failed', 'done']],
    ['project=nope', []],
    ['batch=fruit%2F01', ['canceled']],
    ['project=fruit&batch=fruit%2F01', ['canceled']],
    ['project=nuts&batch=fruit%2F01', []],
    ['tags=a', ['done']],
    ['tags=a&tags=c', ['failed', 'done']],
    ['tags=a,b', ['failed', 'done']],
    ['tags=x,y', ['good']],
    ['unique_id=u1', ['done']],
    ['unique_id=u1&unique_id=u3&unique_id=u9', ['open', 'done']],
    ['customer_review_status=accepted', ['good']],
    ['customer_review_status=accepted%2Cfixed', ['good']],
    ['customer_review_status=pending&status=completed', ['done']],
    ['customer_review_status=commented', []],
    ['customer_review_status=rejected', []],
    [`start_time=${at(1)}`, ['audio', 'open', 'good', 'canceled', 'failed']],
    [`end_time=${at(1)}`, ['failed', 'done']],
    [`start_time=${at(1)}&end_time=${at(2)}`, ['canceled', 'failed']],
    [`start_time=${at(1).replace('Z', '')}999&end_time=${at(2).replace('T', '%20')}`, ['canceled', 'failed']],
    ['start_time=2030-01-02', []],
    ['end_time=2029-12-31', []],
    [`completed_after=${at(0)}`, ['good', 'done']],
    [`completed_after=${at(0)}&completed_before=${at(9)}`, ['done']],
    [`completed_after=${at(0)}&status=error`, []],
    [`updated_after=${at(10)}`, ['good', 'canceled', 'failed']],
    [`updated_before=${at(9)}`, ['audio', 'open', 'done']],
  ]
  for (const [query, found] of rows) {
    const { docs, total } = await list(query)
    assert.deepEqual(
      docs.map(({ task_id }) => names.get(task_id)),
      found,
      query,
    )
    assert.equal(total, found.length, query)
  }
  const limited = await list('limited_response=True&status=completed')
  assert.deepEqual(
    limited.docs.map((doc) => Object.keys(doc).join()),
    ['task_id,status,metadata', 'task_id,status,metadata,project'],
  )
})

test('modes are worlds of their own', async (t) => {
  const scale = await startScale(t)
  await scale.customer('POST', '/projects', { name: 'fruit', type: 'categorization' })
  await scale.create({ callback_url: null, project: 'fruit' })
  const test = { mode: 'test' } as const
  const { body } = await scale.customer('GET', '/tasks', undefined, test)
  assert.equal(body['total'], 0)
  const refused = await scale.customer(
    'POST',
    '/task/categorization',
    { ...categorization, project: 'fruit' },
    test,
  )
  assert.deepEqual([refused.status, refused.body.error], [404, 'There is no project fruit for this key'])
})
