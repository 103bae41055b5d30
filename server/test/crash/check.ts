// The checker: a pure function of the logs and of what the API tells, so that it can be tried on logs that lie.
import { checkCallbacks } from './check-callbacks.ts'
import { checkDuplicates, countDuplicates } from './check-duplicates.ts'
import { checkStories } from './check-stories.ts'
import type { Evidence } from './evidence.ts'
import { meaningOf } from './journal.ts'

/**
 * What happened, in numbers: `turned_away` are requests answered 503, `lost_answers` those without an answer,
 * `unknown_attempts` those of which the server does not know how they ended.
 */
export type Figures = {
  tasks: number
  callbacks: number
  failed_attempts: number
  turned_away: number
  lost_answers: number
  unknown_attempts: number
  duplicates: number
  most_duplicates_of_one_kill: number
}

/** Gives every contradiction as a sentence, and the figures. */
export function check(evidence: Evidence): { faults: string[]; figures: Figures } {
  const faults = [
    ...evidence.faults,
    ...checkStories(evidence),
    ...checkCallbacks(evidence),
    ...checkDuplicates(evidence),
  ]
  const duplicates = [...countDuplicates(evidence.receipts).values()]
  const meanings = evidence.stories.flatMap((story) =>
    [story, ...story.deeds].map(({ status }) => meaningOf(status)),
  )
  const attempts = [...evidence.attempts.values()].flat()
  return {
    faults,
    figures: {
      tasks: evidence.tasks.length,
      callbacks: evidence.receipts.length,
      failed_attempts: evidence.receipts.filter(({ status_code }) => status_code === 500).length,
      turned_away: meanings.filter((meaning) => meaning === 'turned_away').length,
      lost_answers: meanings.filter((meaning) => meaning === 'unknown').length,
      unknown_attempts: attempts.filter(({ outcome }) => outcome === 'unknown').length,
      duplicates: duplicates.reduce((sum, count) => sum + count, 0),
      most_duplicates_of_one_kill: Math.max(0, ...duplicates),
    },
  }
}
