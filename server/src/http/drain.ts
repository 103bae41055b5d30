// Counting requests, so that a stop can refuse new ones and still answer those under way.

export type Drain = {
  isStopping: () => boolean
  /** A request was admitted. */
  enter: () => void
  /** An admitted request is over, answered or broken off. */
  leave: () => void
  /** Refuses from now on; resolves once no admitted request is left. */
  stop: () => Promise<void>
}

/** Makes a count. */
export function createDrain(): Drain {
  let inFlight = 0
  let stopping = false
  const idle = Promise.withResolvers<void>()
  const check = () => {
    if (stopping && inFlight === 0) idle.resolve()
  }
  return {
    isStopping: () => stopping,
    enter() {
      inFlight++
    },
    leave() {
      inFlight--
      check()
    },
    stop() {
      stopping = true
      check()
      return idle.promise
    },
  }
}
