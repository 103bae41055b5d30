// What a client gets when the store takes nothing, whatever the reason.
import assert from 'node:assert/strict'
import { RingbackError } from '@ringback/sdk'

/** Asserts that a call failed since the store is not available, and that it says when to try again; for `assert.rejects`. */
export function isUnavailable(error: unknown): true {
  assert.ok(error instanceof RingbackError)
  assert.deepEqual([error.status, error.code, error.retryAfterS], [503, 'store_unavailable', 1])
  return true
}
