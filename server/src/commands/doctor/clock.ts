// Whether the clock of this machine can be relied on: every wait, lease and signature is measured with it.
import { setTimeout as delay } from 'node:timers/promises'
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'

// No release is older, and none will run that long.
const EARLIEST = Date.UTC(2025, 0, 1)
const LATEST = Date.UTC(2100, 0, 1)
const SAMPLES = 20
const BETWEEN_MS = 10
// The two clocks are read one after the other, and a busy machine may take its time between them.
const MOST_DRIFT_MS = 100
const NTP = 'let NTP set it, slowly (chrony, systemd-timesyncd)'

/** The clocks as functions, and how to let time pass between two looks. */
export type Clocks = { wall: () => number; monotonic: () => number; pass: () => Promise<void> }

const real: Clocks = {
  wall: Date.now,
  monotonic: () => performance.now(),
  async pass() {
    await delay(BETWEEN_MS)
  },
}

/** Watches the clock for a fifth of a second. */
export async function checkClock({ wall, monotonic, pass }: Clocks = real): Promise<Finding> {
  const begun = { wall: wall(), monotonic: monotonic() }
  let latest = begun.wall
  let back_ms = 0
  for (let sample = 0; sample < SAMPLES; sample++) {
    await pass()
    const time = wall()
    back_ms = Math.max(back_ms, latest - time)
    latest = time
  }
  const drift_ms = latest - begun.wall - (monotonic() - begun.monotonic)
  const shown = new Date(latest).toISOString()
  if (latest < EARLIEST || latest >= LATEST)
    return fail(`it says ${shown}, so receivers refuse our signatures`, NTP)
  if (back_ms > 0) return warn(`it went back by ${Math.round(back_ms)} ms while watched`, NTP)
  if (Math.abs(drift_ms) > MOST_DRIFT_MS) {
    const way = drift_ms > 0 ? 'ahead' : 'behind'
    return warn(`it jumped ${Math.round(Math.abs(drift_ms))} ms ${way} while watched`, NTP)
  }
  return ok(`it says ${shown}, and runs evenly`)
}
