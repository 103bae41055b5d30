// Callback ids: 32 random bytes that let whoever knows them resolve a task, once. We keep their hash only.
import { hash } from 'node:crypto'
import type { Sources } from '../dialects/credentials.ts'

const ID = /^[0-9a-f]{64}$/

/** The hash under which a callback id is found, or undefined for what was never one. */
export const callbackHash = (id: string): string | undefined => (ID.test(id) ? hash('sha256', id) : undefined)

/** Makes a callback id: what is shown once, and what is stored. */
export function createCallbackId(
  { randomBytes }: Pick<Sources, 'randomBytes'>,
  { public_url }: { public_url: string },
): { shown: { callback_id: string; resolve_url: string }; hash: string } {
  const callback_id = randomBytes(32).toString('hex')
  return {
    shown: { callback_id, resolve_url: `${public_url}/v1/callbacks/${callback_id}` },
    hash: hash('sha256', callback_id),
  }
}
