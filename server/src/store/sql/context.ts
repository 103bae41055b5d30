// What every write verb is given besides its inputs: the open transaction, the store's time and who leases.
import type { Transaction } from '../database.ts'

export type WriteContext = {
  tx: Transaction
  /** The store's clock when the batch began, in milliseconds. */
  now: number
  /** Node and boot: the owner that leases are written for. */
  owner: string
}
