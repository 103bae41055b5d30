// When keys were last used: noted in memory by each request, and written by whoever calls `flush` now and then, so that no
// request pays for a write. A kill loses the last minute of it.
import type { Store } from '../store/store.ts'

export type KeyUses = {
  /** Notes that a key is used now. */
  used: (key_id: string) => void
  /** Writes what was noted since the last time; what could not be written is noted still. */
  flush: () => Promise<void>
}

// Of so many keys a minute's use is noted; those beyond wait for their turn.
const NOTED_MAX = 10_000
const CHUNK = 200

/** Makes the notes; they hold no timers. */
export function createKeyUses(store: Pick<Store, 'now' | 'recordKeyUses'>): KeyUses {
  let noted = new Map<string, number>()

  return {
    used(key_id) {
      if (noted.size < NOTED_MAX || noted.has(key_id)) noted.set(key_id, store.now())
    },
    async flush() {
      const writing = Array.from(noted, ([id, last_used_at]) => ({ id, last_used_at }))
      noted = new Map()
      for (let i = 0; i < writing.length; i += CHUNK) {
        try {
          await store.recordKeyUses(writing.slice(i, i + CHUNK))
        } catch (error) {
          for (const { id, last_used_at } of writing.slice(i)) {
            if (!noted.has(id)) noted.set(id, last_used_at)
          }
          throw error
        }
      }
    },
  }
}
