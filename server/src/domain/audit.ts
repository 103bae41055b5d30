// An audit says who changed what, from where and when. It is written in the transaction of the act, so there is neither one
// without the other; what was refused leaves none. Its detail is for people: names of fields, and values that are no secret.
import { print, type Printable } from './json.ts'
import { timeOfId } from './id.ts'
import type { Mode } from './project.ts'

/** Everything that is written down: `thing.verb`. */
export const acts = [
  'project.create',
  'project.update',
  'key.create',
  'key.revoke',
  'secret.rotate',
  'secrets.read',
  'secrets.reseal',
  'token.create',
  'token.revoke',
  'delivery.resend',
  'delivery.cancel',
  'delivery.replay',
  'destination.pause',
  'destination.resume',
  'arrival.apply',
] as const
export type Act = (typeof acts)[number]

/** Who did it: a holder of the admin key, of a project's key, `ringback dev` by itself, or a command with the database open. */
export const actors = ['admin', 'key', 'dev', 'cli'] as const
export type Actor = (typeof actors)[number]

/** One act; `object` is the id of what it was done to, `detail` JSON text. */
export type Audit = {
  id: string
  created_at: number
  act: Act
  actor: Actor
  key_id: string | null
  address: string | null
  project_id: string | null
  mode: Mode | null
  object: string | null
  detail: string
}

/** What an act was done to; `detail` must hold no secret, and no URL as a whole, whose path may be one. */
export type AuditSubject = {
  project_id?: string | null
  mode?: Mode | null
  object?: string | null
  detail?: { readonly [field: string]: Printable }
}

/** Makes the row; its id is made by the store's clock, and tells its time. */
export function newAudit(
  id: string,
  act: Act,
  who: Pick<Audit, 'actor'> & Partial<Pick<Audit, 'key_id' | 'address'>>,
  { project_id = null, mode = null, object = null, detail = {} }: AuditSubject,
): Audit {
  const { actor, key_id = null, address = null } = who
  const created_at = timeOfId(id) ?? 0
  return { id, created_at, act, actor, key_id, address, project_id, mode, object, detail: print(detail) }
}
