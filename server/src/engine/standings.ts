// What a receiver is known for, by how soon its attempts were over; whatever came of them, since one that fails at once holds up
// nobody (docs/decisions/009).

/** `live`: an attempt was over in time a moment ago. `prompt`: the last one was. `other`: it was late, or there was none. */
export type Standing = 'live' | 'prompt' | 'other'

/** When an attempt was last over in time, and when one was last seen to take longer; in milliseconds. */
export type Times = { prompt_at: number; late_at: number }

const IN_TIME_MS = 2000
const LIVE_MS = 5000
// So many receivers to which nothing goes are remembered.
const REMEMBERED = 10_000

export const isInTime = (took_ms: number): boolean => took_ms <= IN_TIME_MS

/** The standing of a receiver. */
export function standingOf({ prompt_at, late_at }: Times, now: number): Standing {
  if (prompt_at <= late_at) return 'other'
  return now - prompt_at <= LIVE_MS ? 'live' : 'prompt'
}

/** Learns that an attempt was over. One in time says nothing while others take long. */
export function noteEnd(times: Times, took_ms: number, now: number): void {
  if (!isInTime(took_ms)) return noteLate(times, now)
  // It is later than now only if the clock was set back.
  times.late_at = Math.min(times.late_at, now)
  if (now - times.late_at > IN_TIME_MS) times.prompt_at = now
}

/** Learns that an attempt takes long. */
export function noteLate(times: Times, now: number): void {
  times.late_at = now
  times.prompt_at = Math.min(times.prompt_at, now)
}

export type Remembered = {
  /** What is known of a receiver, which is forgotten by this. */
  recall: (destination_id: string) => Times
  /** Remembers one, unless it is nothing to remember; of very many the one that was told of first is forgotten. */
  keep: (destination_id: string, times: Times) => void
  isPrompt: (destination_id: string) => boolean
}

/** Makes the memory of receivers to which nothing goes at the time. */
export function createRemembered(): Remembered {
  const known = new Map<string, Times>()
  return {
    recall(id) {
      const times = known.get(id) ?? { prompt_at: -Infinity, late_at: -Infinity }
      known.delete(id)
      return times
    },
    keep(id, { prompt_at, late_at }) {
      if (prompt_at <= late_at) return
      known.set(id, { prompt_at, late_at })
      const [oldest] = known.keys()
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
    },
    isPrompt: (id) => known.has(id),
  }
}
