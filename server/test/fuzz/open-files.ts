// What a process has open, as Linux tells it in /proc: connections that nobody closes are found so, and files, too.
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_MS = 500

/** How many sockets, files and other things a process has open; undefined where the system does not tell. */
export function countOpen(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
  }
}

/** What it has open, for reading. */
export function namesOpen(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`)
    } catch {
      return 'closed since'
    }
  })
}

/** Waits until a process has no more open than this; gives how many it has in the end. */
export async function untilClosed(
  pid: number,
  most: number,
  patience_ms: number,
): Promise<number | undefined> {
  for (const deadline = Date.now() + patience_ms; ; await delay(LOOK_MS)) {
    const count = countOpen(pid)
    if (count === undefined || count <= most || Date.now() > deadline) return count
  }
}
