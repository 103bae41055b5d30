// What earlier answers told of: the ids that later requests name. A request draws a place in the pool and not an id, so that
// the same seed means the same requests although the server's ids are others.
import { oneOf } from './odd.ts'
import type { Random } from '../crash/random.ts'

/** One thing that exists: the path's parameters that lead to it, and its status as last told. */
export type Entry = { id: string; state: string | undefined; params: Readonly<Record<string, string>> }

export type Pool = {
  /** One of a kind in a world, in one of the wanted states if there is any; undefined as long as none is known. */
  take(world: string, kind: string, random: Random, wanted?: readonly string[]): Entry | undefined
  /** Learns from an answer: all ids in it, of which a bare `id` is of this kind. */
  learn(world: string, kind: string, answer: unknown, params: Readonly<Record<string, string>>): void
  /** Knows one from now on. */
  add(world: string, kind: string, entry: Entry): void
  /** Never learns this id, nor what was told of below it. */
  protect(id: string): void
}

const MOST = 200
const DEEPEST = 4

// What customers put in themselves.
const theirs = new Set([
  'params',
  'metadata',
  'response',
  'result',
  'detail',
  'input',
  'error',
  'headers',
  'body',
  'value',
])

// By the name of a member: the kinds of which it is an id.
const kindsByName: Readonly<Record<string, readonly string[]>> = {
  task_id: ['tasks', 'task'],
  destination_id: ['destinations'],
  callback_id: ['callbacks'],
  callbackId: ['callbacks'],
  signalToken: ['signals'],
  teamId: ['teamId'],
  taskId: ['taskId'],
  batchId: ['batch', 'batchId'],
  batch_id: ['batch'],
  uuid: ['job', 'tasks'],
  external_id: ['task', 'job', 'taskId'],
  operationId: ['operation'],
  projectId: ['projectId'],
  downloadUrl: ['downloads'],
  next_cursor: ['cursor'],
}

/** An empty pool. */
export function createPool(): Pool {
  const places = new Map<string, Map<string, Entry>>()
  const untouched = new Set<string>()
  const placeOf = (world: string, kind: string) => {
    const name = `${world} ${kind}`
    const place = places.get(name) ?? new Map<string, Entry>()
    places.set(name, place)
    return place
  }

  function add(world: string, kind: string, entry: Entry): void {
    const place = placeOf(world, kind)
    place.delete(entry.id)
    place.set(entry.id, entry)
    const [oldest] = place.keys()
    if (place.size > MOST && oldest !== undefined) place.delete(oldest)
  }

  function learn(world: string, kind: string, answer: unknown, params: Entry['params'], depth = 0): void {
    if (typeof answer !== 'object' || answer === null || depth > DEEPEST) return
    if (Array.isArray(answer)) {
      for (const one of answer) learn(world, kind, one, params, depth + 1)
      return
    }
    const members = answer as Record<string, unknown>
    const word = members['status'] ?? members['state'] ?? members['verdict']
    const state = typeof word === 'string' || typeof word === 'number' ? String(word) : undefined
    for (const [name, value] of Object.entries(members)) {
      if (typeof value === 'object' && !theirs.has(name)) learn(world, kind, value, params, depth + 1)
      if ((typeof value !== 'string' && typeof value !== 'number') || value === '') continue
      const kinds =
        name === 'id' || (name === 'name' && namedBy.has(kind)) ? [kind] : (kindsByName[name] ?? [])
      for (const one of kinds) {
        const id = one === 'downloads' ? (String(value).split('/').at(-1) ?? '') : String(value)
        if (
          untouched.has(id) ||
          (kind === 'key_id' && Object.values(params).some((param) => untouched.has(param)))
        )
          continue
        add(world, one, { id, state: name.endsWith('d') ? state : undefined, params })
      }
    }
  }

  return {
    add,
    learn,
    protect: (id) => void untouched.add(id),
    take(world, kind, random, wanted) {
      const all = [...placeOf(world, kind).values()]
      const fitting = wanted === undefined ? all : all.filter(({ state }) => wanted.includes(state ?? ''))
      return oneOf(random, fitting.length > 0 ? fitting : all)
    },
  }
}

// Scale's things that have no id but their name.
const namedBy = new Set(['batches', 'scale projects'])
