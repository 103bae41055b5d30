// What an engine asks the store for when it takes what is due, deliveries and calls alike, and what it is told.

/** What an engine has room for. */
export type ClaimRequest = {
  /** Due destinations taken at most beside those named in `room`, and deliveries of each. */
  destinations: number
  per_destination: number
  /**
   * What all that are not small may weigh together (domain/weight.ts), in bytes, and what those without bytes of their own: none is
   * taken once they are used up.
   */
  bytes: number
  spare_bytes: number
  /** How many a destination has room for; destinations not named here have `per_destination`, as far as their projects have room. */
  room: Record<string, number>
  /** Bytes that a destination has of its own. Those not named here have their project's. */
  room_bytes: Record<string, number>
  /** How many those of a project that are not named have room for together; projects not named here have no limit. */
  project_room: Record<string, number>
  /** What those of a project without bytes of their own may weigh, in bytes. */
  project_bytes: Record<string, number>
  /** Destinations that are not looked at, unless they are named. */
  past: string[]
}

/** What it got, and where there is more. */
export type ClaimResult<T> = {
  claimed: T[]
  /** Destinations that gave as many as they had room or bytes for, or had none: there may be more. */
  more: string[]
  /** What waits first where there were no bytes for it even to begin with, by destination. */
  cut: Record<string, number>
  /** Whether more may be due than was looked at, or than this claim had bytes for. */
  further: boolean
  /** Projects whose room this claim has used up, and of which more is due. */
  spent: string[]
  /** The ids of those that an open breaker let through, one a destination: what becomes of them decides about the others. */
  probes: string[]
  /** When the next destination has something due, in milliseconds, or null. */
  next_due_at: number | null
}
