// What was accepted more than once, and why. Delivering at least once means that this happens, but only where something was
// done to the process that sent it, or to its database, and then no oftener than what that process had in hand.
import type { Evidence } from './evidence.ts'
import { isAccepted, type Receipt } from './receiver.ts'

/**
 * Something that was done to a process, or to the database of all (`boot` null), from one moment to another, in
 * milliseconds since the epoch.
 */
export type Incident = {
  kind: 'kill' | 'freeze' | 'database'
  boot: number | null
  from: number
  until: number
}

/** Why something was accepted again: an incident, or an attempt whose sender saw no answer in time and says so. */
export type Cause = Incident['kind'] | 'unanswered'

// Of one destination a process has at most four times the limit between their lease and their settling.
const SHARES = 4
// So long after it was accepted a callback may not have been settled yet, and so late the receiver may see it.
const AROUND_MS = 2000
// So long a process that was frozen amid a transaction keeps its locks, and others from settling (postgres-database.ts).
const LOCKED_MS = 3000

/** By server process: how many callbacks that it had delivered were accepted again from a later one. */
export function countDuplicates(receipts: readonly Receipt[]): Map<number, number> {
  const counts = new Map<number, number>()
  const last = new Map<string, Receipt>()
  for (const receipt of receipts.filter(isAccepted)) {
    const before = last.get(receipt.webhook_id)
    if (before !== undefined) counts.set(before.boot, (counts.get(before.boot) ?? 0) + 1)
    last.set(receipt.webhook_id, receipt)
  }
  return counts
}

/** Finds what was repeated without a reason, or too often. */
export function checkDuplicates(evidence: Evidence): string[] {
  const { limit, processes, most_in_hand, ending } = evidence
  const most = limit * processes
  return [
    ...(most_in_hand > most ? [`${most_in_hand} requests were open at once, the limit is ${most}`] : []),
    ...(ending === 'disturbed' ? explainDuplicates(evidence).faults : checkBoots(evidence)),
  ]
}

/** One process after the other, each killed or stopped: none repeats itself, and a kill repeats what was in hand. */
function checkBoots({ receipts, ending, limit }: Evidence): string[] {
  const faults: string[] = []
  const last = new Map<string, Receipt>()
  for (const receipt of receipts.filter(isAccepted)) {
    const before = last.get(receipt.webhook_id)
    last.set(receipt.webhook_id, receipt)
    if (before?.boot === receipt.boot) faults.push(`one process delivered ${receipt.webhook_id} twice`)
  }
  const most = ending === 'stopped' ? 0 : SHARES * limit
  for (const [boot, count] of countDuplicates(receipts)) {
    if (count > most) faults.push(`${count} callbacks of boot ${boot} were delivered again, ${most} may be`)
  }
  return faults
}

/** What was repeated by cause, how much all incidents together may have repeated, and what has no reason or is too much. */
export type Explanation = { faults: string[]; causes: Record<Cause, number>; most: number }

/**
 * Many processes on one database, with incidents: of a delivery accepted twice, one attempt is in the ledger as delivered,
 * and every other accepted one must have met an incident.
 */
export function explainDuplicates(evidence: Evidence): Explanation {
  const { incidents, deliveries, attempts } = evidence
  const receipts = Map.groupBy(evidence.receipts.filter(isAccepted), ({ webhook_id }) => webhook_id)
  const faults: string[] = []
  const causes: Record<Cause, number> = { kill: 0, freeze: 0, database: 0, unanswered: 0 }
  const counts = new Map<Incident, number>()
  for (const { id, task_id, event_id } of deliveries) {
    const outcomes = new Map(attempts.get(id)?.map(({ number, outcome }) => [number, outcome]))
    const accepted = receipts.get(event_id) ?? []
    for (const receipt of accepted.length < 2 ? [] : accepted) {
      const outcome = outcomes.get(receipt.attempt)
      if (outcome === 'delivered') continue
      const incident = incidents.find((candidate) => explains(candidate, receipt, incidents))
      if (incident !== undefined) {
        counts.set(incident, (counts.get(incident) ?? 0) + 1)
        causes[incident.kind]++
      } else if (outcome !== 'unknown') causes.unanswered++
      else {
        const at = new Date(receipt.at).toISOString()
        faults.push(
          `${task_id}: ${event_id}: attempt ${receipt.attempt}, accepted from boot ${receipt.boot} at ${at}, was repeated without a reason`,
        )
      }
    }
  }
  for (const [incident, count] of counts) {
    const { kind, boot, from } = incident
    const most = mostAfter(incident, evidence)
    if (count > most) {
      const what = `the ${kind} of ${boot ?? 'all'} at ${new Date(from).toISOString()}`
      faults.push(`${count} callbacks were repeated after ${what}, ${most} may be`)
    }
  }
  const most = incidents.reduce((sum, incident) => sum + mostAfter(incident, evidence), 0)
  return { faults, causes, most }
}

/** How many callbacks an incident may have repeated: all that one process, or each of them, had in hand. */
const mostAfter = ({ kind }: Incident, { limit, destinations, processes }: Evidence): number =>
  SHARES * limit * destinations * (kind === 'database' ? processes : 1)

/** Whether an incident may have kept the sender of this receipt from settling it. */
function explains(
  { boot, from, until }: Incident,
  receipt: Receipt,
  incidents: readonly Incident[],
): boolean {
  // Who was dead, or had hung up, before the receiver could ask who it is has no number.
  const meant = boot === null || boot === receipt.boot || receipt.boot === 0
  const locked = incidents.some(
    (other) =>
      other.kind === 'freeze' && other.from <= receipt.at + AROUND_MS && other.from >= receipt.at - LOCKED_MS,
  )
  const unsettled_ms = AROUND_MS + (locked ? LOCKED_MS : 0)
  return meant && receipt.at >= from - unsettled_ms && receipt.at <= until + AROUND_MS
}
