// Keys and projects, read through a cache of one second: every request needs them, and they hardly ever change. So a
// change made by another process holds here a second later; one made here calls `forget`.
import { isExpired, type Key } from '../domain/key.ts'
import type { Project } from '../domain/project.ts'
import type { Store } from '../store/store.ts'

export type Directory = {
  /** The key with this SHA-256 (hex), or undefined when it does not exist, was revoked or has expired. */
  key(hash: string): Promise<Key | undefined>
  project(id: string): Promise<Project | undefined>
  /** Reads everything anew from now on. */
  forget(): void
}

const FRESH_MS = 1000
const CACHE_LIMIT = 10_000

/** Makes a directory over a store; it holds no timers and needs no closing. */
export function createDirectory(store: Pick<Store, 'now' | 'findKey' | 'findProject'>): Directory {
  const now = () => store.now()
  const keys = cache(now, (hash) => store.findKey(hash))
  const projects = cache(now, (id) => store.findProject(id))
  return {
    async key(hash) {
      const key = await keys.get(hash)
      return key === undefined || isExpired(key, now()) ? undefined : key
    },
    project: (id) => projects.get(id),
    forget() {
      keys.clear()
      projects.clear()
    },
  }
}

/** Promises are kept, not values, so that a burst of requests shares one read. What is not found is not kept. */
function cache<T>(now: () => number, read: (id: string) => Promise<T | undefined>) {
  const entries = new Map<string, { until: number; value: Promise<T | undefined> }>()
  const load = (id: string) => {
    if (entries.size >= CACHE_LIMIT) entries.clear()
    const entry = { until: now() + FRESH_MS, value: read(id) }
    entries.set(id, entry)
    const drop = () => {
      if (entries.get(id) === entry) entries.delete(id)
    }
    entry.value.then((found) => found ?? drop(), drop)
    return entry.value
  }
  return {
    get(id: string): Promise<T | undefined> {
      const entry = entries.get(id)
      return entry !== undefined && entry.until > now() ? entry.value : load(id)
    },
    clear: () => entries.clear(),
  }
}
