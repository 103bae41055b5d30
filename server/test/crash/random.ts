// Seeded chance: the same seed gives the same kill moments and the same plans of each client. How the processes interleave
// it cannot repeat, so a seed makes a failure likely to come again, not certain.

/** A number from 0 up to, but not including, 1. */
export type Random = () => number

/** Makes an independent stream for a purpose within a seed, such as a round and a client (mulberry32 over a mixed seed). */
export function createRandom(seed: number, ...purpose: number[]): Random {
  let state = purpose.reduce((mixed, part) => mix(mixed ^ Math.imul(part + 1, 0x9e3779b1)), mix(seed))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    return mix(state) / 2 ** 32
  }
}

/** A whole number from `low` to `high`, both included. */
export const between = (random: Random, low: number, high: number): number =>
  low + Math.floor(random() * (high - low + 1))

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 15), value | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return (mixed ^ (mixed >>> 14)) >>> 0
}
