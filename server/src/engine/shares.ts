// Who may have how much of the memory for deliveries (docs/decisions/009): what hangs must leave something to what does not.

/**
 * What those destinations of a project that are not prompt hold together, in deliveries and in bytes of their bodies. `full`
 * says that a claim left it out.
 */
export type Project = Holding & { id: string; lanes: number; full: boolean }

type Holding = { held: number; bytes: number }

/** A destination: what it holds itself, and its project, in which it is not counted while it is prompt. */
type Holder = { project: Project; prompt: boolean; bytes: number }

export type Shares = {
  /** A project's entry, for one destination more or less. */
  enter: (project_id: string) => Project
  leave: (project: Project) => void
  /** Counts so many deliveries, or so many bytes, more or less. */
  count: (holder: Holder, more: number) => void
  weigh: (holder: Holder, more: number) => void
  /** Counts what a destination holds in its project, or no more. */
  judge: (holder: Holder, held: number, prompt: boolean) => void
  taken: () => number
  /** How many more deliveries fit. */
  fitting: () => number
  /** How much a destination that holds so many is below its threshold; below 0 it is above. */
  share: (holder: Holder, held: number) => number
  /** How many more a destination may have. */
  room: (holder: Holder, held: number) => number
  /** How many more each project may have, and marks those as full that may have none. */
  rooms: () => Record<string, number>
  isFull: (project_id: string) => boolean
  /** Whether a project that was full has room for a good part of what it may have; it is no longer full then. */
  freed: (project: Project) => boolean
}

const CAPACITY_BYTES = 256 * 1024 * 1024
// What a claim will weigh is guessed from what is held, mixed with so many bodies of the largest size.
const GUESS_COUNT = 16
const GUESS_BYTES = 1024 * 1024

/** Makes the shares of a memory for so many deliveries. */
export function createShares(capacity: number): Shares {
  const projects = new Map<string, Project>()
  let taken = 0
  let bytes = 0

  const meanBytes = () => (bytes + GUESS_COUNT * GUESS_BYTES) / (taken + GUESS_COUNT)

  // Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998, in two levels: no prompt
  // destination holds more than is left for all others; of the rest no project holds more than twice what is left, and no
  // destination more than its project may still have.
  const below = (most: number, { held, bytes: size }: Holding) =>
    Math.min(
      most * (capacity - taken) - held,
      Math.floor((most * (CAPACITY_BYTES - bytes) - size) / meanBytes()),
    )

  const share = ({ project, prompt, bytes: size }: Holder, held: number) =>
    prompt
      ? below(1, { held, bytes: size })
      : below(2, { held: project.held + held, bytes: project.bytes + size })

  return {
    enter(id) {
      let project = projects.get(id)
      if (project === undefined) {
        project = { id, lanes: 0, held: 0, bytes: 0, full: false }
        projects.set(id, project)
      }
      project.lanes++
      return project
    },
    leave(project) {
      if (--project.lanes === 0) projects.delete(project.id)
    },
    count({ project, prompt }, more) {
      taken += more
      if (!prompt) project.held += more
    },
    weigh(holder, more) {
      bytes += more
      holder.bytes += more
      if (!holder.prompt) holder.project.bytes += more
    },
    judge(holder, held, prompt) {
      if (holder.prompt === prompt) return
      holder.prompt = prompt
      const sign = prompt ? -1 : 1
      holder.project.held += sign * held
      holder.project.bytes += sign * holder.bytes
    },
    taken: () => taken,
    fitting: () => Math.min(capacity - taken, Math.floor((CAPACITY_BYTES - bytes) / meanBytes())),
    share,
    // One more takes two of a prompt destination's share and four of another's, since what is left changes, too.
    room: (holder, held) => Math.ceil(share(holder, held) / (holder.prompt ? 2 : 4)),
    rooms() {
      const rooms: Record<string, number> = {}
      for (const [id, project] of projects) {
        // And three of its project's.
        rooms[id] = Math.max(0, Math.ceil(below(2, project) / 3))
        project.full = rooms[id] === 0
      }
      return rooms
    },
    isFull: (project_id) => projects.get(project_id)?.full === true,
    freed(project) {
      if (!project.full || below(2, project) < project.held) return false
      project.full = false
      return true
    },
  }
}
