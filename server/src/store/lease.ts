// A delivery that is inserted already leased to this process: how it goes into its transaction, and what the engine gets of it.
import { untried } from '../domain/delivery.ts'
import type { Inserted } from './sql/delivery-insert.ts'
import { changeOf, type TransitionInput } from './sql/tasks.ts'
import type { NewDelivery, Ready, Transition } from './store.ts'

/** A transition as it is written: `lease` reserves a slot for its delivery, or says that there is none. */
export const leasing = (
  { task, delivery, ...transition }: Transition,
  lease: () => boolean,
): TransitionInput => ({
  ...transition,
  task: changeOf(task),
  delivery: delivery && { ...delivery, leased: lease() },
})

/** What was inserted, with its body, as the engine takes it. */
export function readyOf(delivery: NewDelivery, inserted: Inserted, body: string, owner: string): Ready {
  const { lease_ms: _, ...row } = delivery
  return {
    ...row,
    ...untried,
    ...inserted,
    due_at: null,
    lease_owner: owner,
    fence: 1,
    body,
  }
}
