import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { defaultSettings, type Project } from '../domain/project.ts'
import { createTermsCache } from './terms.ts'

const policy = () => ({ waits: [], retryable: () => true, timeout_ms: 1, window_ms: 1 })

const project = (id: string): Project => ({
  id,
  name: 'test',
  dialect: 'native',
  host: null,
  settings: defaultSettings,
  created_at: 0,
  updated_at: 0,
})

function setUp() {
  const clock = createManualClock()
  const reads: string[] = []
  const cache = createTermsCache({
    store: {
      findProject(id) {
        reads.push(id)
        return Promise.resolve(id === 'none' ? undefined : project(id))
      },
      secrets: () => Promise.resolve([]),
    },
    policy,
    now: clock.now,
  })
  return { clock, cache, reads }
}

test('terms are read once for all who ask meanwhile, and are there at once for a second', async () => {
  const { clock, cache, reads } = setUp()
  assert.equal(cache.get('p'), undefined)
  const [one, two] = await Promise.all([cache.load('p'), cache.load('p')])
  assert.equal(one, two)
  assert.equal(cache.get('p'), one)
  clock.advance(1000)
  assert.equal(cache.get('p'), undefined)
  assert.deepEqual(reads, ['p'])
})

test('terms in use are read anew before they grow stale', async () => {
  const { clock, cache, reads } = setUp()
  const old = await cache.load('p')
  clock.advance(500)
  assert.equal(cache.get('p'), old)
  await new Promise(setImmediate)
  assert.deepEqual(reads, ['p', 'p'])
  clock.advance(900)
  assert.notEqual(cache.get('p'), undefined)
})

test('terms that were read before they were forgotten are not kept', async () => {
  const { cache, reads } = setUp()
  await cache.load('p')
  cache.forget('p')
  assert.equal(cache.get('p'), undefined)
  const stale = cache.load('p')
  cache.forget('p')
  await stale
  assert.equal(cache.get('p'), undefined)
  assert.equal(await cache.load('p'), cache.get('p'))
  assert.deepEqual(reads, ['p', 'p', 'p'])
})

test('a project that does not exist is an error, and is asked for again', async () => {
  const { cache, reads } = setUp()
  await assert.rejects(cache.load('none'), /there is no project none/)
  await assert.rejects(cache.load('none'))
  assert.equal(reads.length, 2)
})
