// The clock of a database that many nodes share: every deadline is measured with it, so that a node whose own clock is wrong
// neither takes leases early nor holds on to them. It is asked now and then, and between that the own pace is good enough: that of
// a clock which nobody sets, since a step of the other would be everybody's error until it is asked again.

export type DatabaseClock = {
  /** The database's time in milliseconds. */
  now(): number
  /** Asks again; what fails leaves the clock as it was. */
  set(): Promise<void>
}

const SAMPLES = 3

/** Asks for the time a few times and makes a clock of the quickest answer. Rejects when the database does not answer. */
export async function createDatabaseClock(
  ask: () => Promise<number>,
  own: () => number = () => performance.now(),
): Promise<DatabaseClock> {
  let offset_ms = 0

  async function set(): Promise<void> {
    let quickest = { took_ms: Infinity, offset_ms: 0 }
    for (let i = 0; i < SAMPLES; i++) {
      const asked_at = own()
      const time = await ask()
      const took_ms = own() - asked_at
      if (took_ms < quickest.took_ms) {
        quickest = { took_ms, offset_ms: Math.round(time - (asked_at + took_ms / 2)) }
      }
    }
    // Within what the answer took nobody knows better, and a clock should not twitch.
    if (Math.abs(quickest.offset_ms - offset_ms) > quickest.took_ms) ({ offset_ms } = quickest)
  }

  await set()
  return { now: () => Math.floor(own() + offset_ms), set }
}
