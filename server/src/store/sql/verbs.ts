// The registry of write verbs, in the order in which one transaction runs them: tasks before destinations before
// deliveries, so that no two transactions wait for each other; the claim last, so that it sees what became due.
import type { WriteContext } from './context.ts'
import { amendTask } from './amend.ts'
import { recordArrivals } from './arrivals.ts'
import { recordAudits } from './audits.ts'
import { claimCalls } from './claim-calls.ts'
import { claimDeliveries } from './claim-deliveries.ts'
import { settleCalls } from './calls.ts'
import { pauseDestination, resumeDestination, setBreakers } from './closing.ts'
import { sweepDestinations } from './destinations.ts'
import { releaseStuck } from './held.ts'
import { createKey, recordKeyUses, revokeKey } from './keys.ts'
import { createProject, updateProject } from './projects.ts'
import { prune } from './prune.ts'
import { markReported, recordRates } from './rates.ts'
import { claimRecord, deleteRecord, inOrderOfNames, insertRecord, updateRecord } from './records.ts'
import { createReplay, stepReplay } from './replays.ts'
import { cancelDeliveries, resendDeliveries } from './resend.ts'
import { reseal } from './sealing.ts'
import { rotateSecret } from './secrets.ts'
import { settleDeliveries } from './settle.ts'
import { createToken, revokeToken } from './tokens.ts'
import { createTasks, transitionTasks } from './tasks.ts'

const each =
  <I, R>(verb: (context: WriteContext, input: I) => Promise<R>) =>
  async (context: WriteContext, inputs: I[]): Promise<R[]> => {
    const results: R[] = []
    for (const input of inputs) results.push(await verb(context, input))
    return results
  }

/** Each verb takes all its inputs of one batch and gives one result for each, in order. */
export const writes = {
  createProject: each(createProject),
  updateProject: each(updateProject),
  rotateSecret: each(rotateSecret),
  createKey: each(createKey),
  revokeKey: each(revokeKey),
  recordKeyUses: each(recordKeyUses),
  recordAudit: recordAudits,
  createTask: createTasks,
  transition: transitionTasks,
  amendTask: each(amendTask),
  recordArrival: recordArrivals,
  resend: resendDeliveries,
  createReplay: each(createReplay),
  stepReplay: each(stepReplay),
  cancelDelivery: cancelDeliveries,
  insertRecord: inOrderOfNames(insertRecord),
  updateRecord: inOrderOfNames(updateRecord),
  deleteRecord: inOrderOfNames(deleteRecord),
  settle: settleDeliveries,
  settleCall: settleCalls,
  releaseStuck: each(releaseStuck),
  sweepDestinations: each(sweepDestinations),
  prune: each(prune),
  reseal: each(reseal),
  createToken: each(createToken),
  revokeToken: each(revokeToken),
  pauseDestination: each(pauseDestination),
  resumeDestination: each(resumeDestination),
  setBreaker: setBreakers,
  recordRates: each(recordRates),
  markReported: each(markReported),
  claimRecord: each(claimRecord),
  claim: claimDeliveries,
  claimCalls,
} as const

export type WriteVerb = keyof typeof writes
export type WriteInput<V extends WriteVerb> = Parameters<(typeof writes)[V]>[1][number]
export type WriteResult<V extends WriteVerb> = Awaited<ReturnType<(typeof writes)[V]>>[number]
