// Reads of a few rows by an index, however large the tables are. Requests of all projects wait for them, or upkeep does: so they have
// a thread, or connections, of their own, and a page that somebody asks for by a filter without an index holds up only other pages.
import type { ReadVerb } from './driver.ts'

const quick: ReadonlySet<ReadVerb> = new Set<ReadVerb>([
  'ping',
  'bodyLength',
  'findTask',
  'findTasksByCallback',
  'findKey',
  'findProjects',
  'secrets',
  'findIdempotency',
  'findTokens',
  'findRecord',
  'unsettledDelivery',
  'lastEvent',
  'overdueTasks',
  'movedTasks',
  'lostLeases',
])

/** Whether a read is one of those. */
export const isQuick = (verb: ReadVerb): boolean => quick.has(verb)
