// Slows those who guess keys: after so many wrong ones of an address further ones are refused without a look at the store. Keys that
// this process has seen to be right are looked up all the same, so that whoever shares an address with a guesser goes on working;
// only a key that is used for the first time has to wait until the window is over.
import type { Guesses } from '../dialects/caller.ts'
import { AppError } from '../domain/errors.ts'
import type { Rate } from '../domain/project.ts'
import { addressGroup } from './inbound-rate.ts'

// Some megabytes each when they are full. Past it the oldest is forgotten.
const ADDRESSES_MAX = 50_000
const KEYS_MAX = 50_000

/** Makes the count of wrong keys, of which there is none without a rate; `now` is in milliseconds. */
export function createGuesses(rate: Rate | null, now: () => number): Guesses {
  if (rate === null) return { admit() {}, right() {}, wrong() {}, forged() {} }
  const { count, window_s } = rate
  // In the order in which their windows began.
  const windows = new Map<string, { wrong: number; ends_at: number }>()
  const known = new Set<string>()

  function windowOf(address: string) {
    const window = windows.get(address)
    if (window === undefined || window.ends_at > now()) return window
    windows.delete(address)
    return undefined
  }

  function countWrong(request: { ip: string }): void {
    const address = addressGroup(request.ip)
    const window = windowOf(address)
    if (window !== undefined) {
      window.wrong++
      return
    }
    forgetFirst(windows, ADDRESSES_MAX)
    windows.set(address, { wrong: 1, ends_at: now() + window_s * 1000 })
  }

  return {
    admit(request, hash) {
      // Hardly ever is there an address to look for.
      if (windows.size === 0 || known.has(hash)) return
      const window = windowOf(addressGroup(request.ip))
      if (window === undefined || window.wrong < count) return
      const retry_after_s = Math.ceil((window.ends_at - now()) / 1000)
      throw new AppError(
        'rate_limited',
        'Too many wrong keys came from this address; a key that has not worked here before is not looked at until the time in retry-after is over',
        { retry_after_s },
      )
    },
    right(hash) {
      if (known.has(hash)) return
      forgetFirst(known, KEYS_MAX)
      known.add(hash)
    },
    wrong(request, hash) {
      known.delete(hash)
      countWrong(request)
    },
    forged: countWrong,
  }
}

/** Makes room for one more. */
function forgetFirst(found: Map<string, unknown> | Set<string>, limit: number): void {
  if (found.size < limit) return
  for (const first of found.keys()) {
    found.delete(first)
    return
  }
}
