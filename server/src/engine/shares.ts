// Who may have how much of the memory for deliveries (docs/decisions/009): what hangs must leave something to what does not.
import { isSmall } from '../domain/weight.ts'
import type { Standing } from './standings.ts'

/** What is held, in deliveries and in bytes. */
type Holding = { held: number; bytes: number }

/**
 * What those destinations of a project that are not live hold together, and `all` with the live ones. `full` says that a claim left
 * out those of the standing `other`, and `behind` that some of these have not had their turn since.
 */
export type Project = Holding & { id: string; all: Holding; lanes: number; full: boolean; behind: boolean }

/** How many more deliveries and bytes fit, and how many for those that are not live. */
export type Fitting = Holding & { spare: Holding }

/** How many more deliveries and bytes each project may have of the standing `other`, and whether any is behind. */
export type Rooms = {
  project_room: Record<string, number>
  project_bytes: Record<string, number>
  behind: boolean
}

/** A destination: its project, its standing, and the bytes it holds itself. */
type Holder = { project: Project; standing: Standing; bytes: number }

export type Shares = {
  /** A project's entry, for one destination more or less. */
  enter: (project_id: string) => Project
  leave: (project: Project) => void
  /** Counts a delivery of so many bytes more or less. */
  count: (holder: Holder, more: 1 | -1, bytes: number) => void
  /** One that counts takes so many bytes more than was thought, or less. */
  correct: (holder: Holder, bytes: number) => void
  /** Gives a destination that holds so many another standing, if it is another. */
  judge: (holder: Holder, held: number, standing: Standing) => void
  taken: () => number
  fitting: () => Fitting
  /**
   * How many more of a size a destination that holds so many may have; not above 0 when it has its share. What nothing is known of
   * counts as small: a claim weighs what it takes.
   */
  room: (holder: Holder, held: number, size: number | null) => number
  /** And how many bytes more. */
  roomBytes: (holder: Holder) => number
  /** Marks those projects as full that may have none. */
  rooms: () => Rooms
  /** Whether a claim leaves out what is not known to be prompt. */
  isFull: (project_id: string) => boolean
  /** All that waited has had its turn, but in the projects that a claim had no room for; whether there was any that had not. */
  caughtUp: (without: ReadonlySet<string>) => boolean
  /** Whether a project that was full has room for a good part of what it may have; it is no longer full then. */
  freed: (project: Project) => boolean
}

const CAPACITY_BYTES = 256 * 1024 * 1024
// This part of all is for those that are live.
const RESERVE = 1 / 8

// Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998: the live ones hold together
// at most as much as is left; what a project holds else is at most twice the spare, and three times where a prompt one asks.
// A destination has at most what its project, or all that is live, may still have.
const OF_SPARE = { prompt: 3, other: 2 }
// And a project has at most this part, live ones and all: those that hang one behind the other, each a moment after it was live,
// would have everything in the end. What is left is more than the reserve, or nobody could be claimed for.
const MOST = 5 / 6
// One more takes so many of a destination's share, since what is left changes, too; and of its project's one less.
const COST = { live: 3, prompt: 5, other: 4 }

/** Makes the shares of a memory for so many deliveries. */
export function createShares(capacity: number): Shares {
  const projects = new Map<string, Project>()
  const live: Holding = { held: 0, bytes: 0 }
  let taken = 0
  let bytes = 0

  const left = () => capacity - taken
  const leftBytes = () => CAPACITY_BYTES - bytes
  const spare = () => left() - RESERVE * capacity
  const spareBytes = () => leftBytes() - RESERVE * CAPACITY_BYTES

  /** How many of a size there are in so many deliveries and bytes; the last bytes are for one of any size. */
  const lesser = (held: number, size: number, each: number | null) =>
    each === null || isSmall(each) ? held : Math.min(held, Math.ceil(size / each))

  const heldInProject = (held: number, standing: 'prompt' | 'other') => OF_SPARE[standing] * spare() - held
  const bytesInProject = (size: number, standing: 'prompt' | 'other') =>
    OF_SPARE[standing] * spareBytes() - size

  /** How much a destination that holds so many is below its threshold, in deliveries and in bytes. */
  const shareHeld = ({ project, standing }: Holder, held: number) =>
    standing === 'live'
      ? Math.min(left() - live.held - held, MOST * capacity - project.all.held)
      : heldInProject(project.held + held, standing)
  const shareBytes = ({ project, standing, bytes: own }: Holder) =>
    standing === 'live'
      ? Math.min(leftBytes() - live.bytes - own, MOST * CAPACITY_BYTES - project.all.bytes)
      : bytesInProject(project.bytes + own, standing)
  const share = (holder: Holder, held: number, each: number | null) =>
    lesser(shareHeld(holder, held), shareBytes(holder), each)

  const groupOf = ({ project, standing }: Holder): Holding => (standing === 'live' ? live : project)

  function add(holding: Holding, held: number, size: number): void {
    holding.held += held
    holding.bytes += size
  }

  function change(holder: Holder, held: number, size: number): void {
    taken += held
    bytes += size
    holder.bytes += size
    add(groupOf(holder), held, size)
    add(holder.project.all, held, size)
  }

  return {
    enter(id) {
      let project = projects.get(id)
      if (project === undefined) {
        const all = { held: 0, bytes: 0 }
        project = { id, all, lanes: 0, held: 0, bytes: 0, full: false, behind: false }
        projects.set(id, project)
      }
      project.lanes++
      return project
    },
    leave(project) {
      if (--project.lanes === 0) projects.delete(project.id)
    },
    count: (holder, more, size) => change(holder, more, more * size),
    correct: (holder, size) => change(holder, 0, size),
    judge(holder, held, standing) {
      if (holder.standing === standing) return
      add(groupOf(holder), -held, -holder.bytes)
      holder.standing = standing
      add(groupOf(holder), held, holder.bytes)
    },
    taken: () => taken,
    fitting: () => ({
      held: left(),
      bytes: Math.max(0, spareBytes(), leftBytes() - live.bytes),
      spare: { held: Math.floor(spare()), bytes: Math.max(0, spareBytes()) },
    }),
    room: (holder, held, size) => Math.ceil(share(holder, held, size) / COST[holder.standing]),
    roomBytes: (holder) => Math.max(0, Math.ceil(shareBytes(holder) / COST[holder.standing])),
    rooms() {
      const project_room: Record<string, number> = {}
      const project_bytes: Record<string, number> = {}
      let behind = false
      for (const [id, project] of projects) {
        const cost = COST.other - 1
        project_room[id] = Math.max(0, Math.ceil(heldInProject(project.held, 'other') / cost))
        project_bytes[id] = Math.max(0, Math.ceil(bytesInProject(project.bytes, 'other') / cost))
        project.full = project_room[id] === 0
        project.behind ||= project.full
        behind ||= project.behind
      }
      return { project_room, project_bytes, behind }
    },
    caughtUp(without) {
      let any = false
      for (const project of projects.values()) {
        const waits = project.full || without.has(project.id)
        any ||= project.behind && !waits
        project.behind = waits
      }
      return any
    },
    isFull: (project_id) => projects.get(project_id)?.full ?? spare() <= 0,
    freed(project) {
      if (!project.full || heldInProject(project.held, 'other') < project.held) return false
      project.full = false
      return true
    },
  }
}
