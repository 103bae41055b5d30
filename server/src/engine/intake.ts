// Who may read large answers, and when: while they come they are kept in memory, and what a provider sends, and how slowly, is up
// to it. One that has to wait is not read, which its sender feels as a full connection.
import type { Addressed } from '../store/store.ts'

/** The room that the answer to one call has, and nothing to begin with. */
export type AnswerRoom = {
  /** Asks for so many bytes more; `granted` is called when they are there, but not before this returns. */
  ask: (bytes: number, granted: () => void) => void
  /** The answer is whole, or will never be: gives back all but so many bytes, and asks no more. */
  keep: (bytes: number) => void
  /** Gives all back. */
  leave: () => void
}

export type Intake = { enter: (addressed: Addressed) => AnswerRoom }

type Ask = Addressed & { bytes: number; grant: () => void }

const CAPACITY_BYTES = 24 * 1024 * 1024
// As for what is sent (shares.ts): one project may have twice what is free, one destination as much as that. So two thirds and a
// half are the most of it that one can have, and something is left for the next.
const OF_FREE = { project: 2, destination: 1 }

/** Makes the intake of a process. */
export function createIntake(capacity = CAPACITY_BYTES): Intake {
  /** By project and by destination. */
  const held = new Map<string, number>()
  const waiting = new Set<Ask>()
  let free = capacity

  const heldBy = (id: string) => held.get(id) ?? 0

  // The last bytes are for one of any size.
  const fits = ({ project_id, destination_id }: Addressed) =>
    heldBy(project_id) < OF_FREE.project * free && heldBy(destination_id) < OF_FREE.destination * free

  function move({ project_id, destination_id }: Addressed, bytes: number): void {
    free -= bytes
    for (const id of [project_id, destination_id]) {
      const now = heldBy(id) + bytes
      if (now === 0) held.delete(id)
      else held.set(id, now)
    }
  }

  function serve(ask: Ask): void {
    move(ask, ask.bytes)
    ask.grant()
  }

  function serveWaiting(): void {
    for (const ask of waiting) {
      if (free <= 0) return
      if (fits(ask) && waiting.delete(ask)) serve(ask)
    }
  }

  return {
    enter(addressed) {
      let mine = 0
      let asked: Ask | undefined

      function keep(bytes: number): void {
        if (asked !== undefined) waiting.delete(asked)
        asked = undefined
        if (bytes >= mine) return
        move(addressed, bytes - mine)
        mine = bytes
        serveWaiting()
      }

      return {
        ask(bytes, granted) {
          const grant = () => {
            asked = undefined
            mine += bytes
            queueMicrotask(granted)
          }
          asked = { ...addressed, bytes, grant }
          // There is no more room for those that wait already.
          if (fits(asked)) serve(asked)
          else waiting.add(asked)
        },
        keep,
        leave: () => keep(0),
      }
    },
  }
}
