// Where a claim has seen that what waits first is too large for the bytes there are. Claims look past those for a while: to put
// them off in the database would write each of them over and over, and for other nodes, too, which may have bytes.

export type Heads = {
  /** What waits first at a destination weighs so many bytes. */
  note: (destination_id: string, bytes: number) => void
  /** What it weighs; null when nothing is known of it, or no more. */
  bytesOf: (destination_id: string) => number | null
  ids: () => string[]
}

const KNOWN_MS = 1000
const MOST = 5000

/** Makes the memory of them; `now` in milliseconds. */
export function createHeads(now: () => number): Heads {
  // In the order in which they were noted.
  const known = new Map<string, { bytes: number; until: number }>()

  // It is further ahead only if the clock was set back.
  const isOver = (until: number) => until <= now() || until > now() + KNOWN_MS

  function forgetOld(): void {
    for (const [id, { until }] of known) {
      if (!isOver(until) && known.size <= MOST) return
      known.delete(id)
    }
  }

  return {
    note(id, bytes) {
      known.delete(id)
      known.set(id, { bytes, until: now() + KNOWN_MS })
      forgetOld()
    },
    bytesOf(id) {
      const head = known.get(id)
      return head === undefined || isOver(head.until) ? null : head.bytes
    },
    ids() {
      forgetOld()
      return [...known.keys()]
    },
  }
}
