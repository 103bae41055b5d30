// What every group of scenarios gets: on what to measure, how much of it, and whom to tell.
import type { Setup } from './setups.ts'
import type { Sink } from './sink-process.ts'

export type Sizes = {
  /** Interleaved rounds, of which medians are taken. */
  rounds: number
  /** Requests of raw, create and resolve. */
  tasks: number
  /** Deliveries that are due after the restart. */
  due: number
  /** Bytes of what a provider posts; a callback is bigger, since it shows the task. */
  sizes: readonly number[]
  connections: number
  /** Tasks a second of the fairness load, and for how long each is measured. */
  rate: number
  seconds: number
  /** Dripping receivers of the siege, and as many slow clients. */
  besiegers: number
  /** Settled tasks that there are already, least first. */
  settled: readonly number[]
  /** Deliveries that wait at a dead receiver. */
  waiting: number
  /** Receivers with one delivery each. */
  destinations: number
  /** Deliveries at one receiver. */
  backlog: number
  /** How long memory is looked at. */
  minutes: number
}

export type Stage = {
  sink: Sink
  setups: readonly Setup[]
  sizes: Sizes
  /** The folder for CPU profiles, if they are wanted. */
  profile: string | undefined
  /** Tells whoever waits how far it is. */
  say: (line: string) => void
}

/** So many bytes, as a person says it. */
export const bytesText = (size: number): string => (size % 1024 === 0 ? `${size / 1024} KiB` : `${size} B`)

/** So many of something, as a person says it. */
export const countText = (count: number): string => count.toLocaleString('en')
