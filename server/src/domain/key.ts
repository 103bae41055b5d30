// A key of a project and what it may do. Who holds it (its role) decides how it looks and what it may do at most; scopes take
// away from that; customers' keys of other dialects than the native one have none.
import type { Mode } from './project.ts'

/** Who holds a key: the customer of the platform, or the platform's own staff and workers. */
export const keyRoles = ['customer', 'operator'] as const
export type KeyRole = (typeof keyRoles)[number]

/** What a key can be allowed to do; what each route takes is a table in http/rights.ts. */
export const keyScopes = ['tasks:read', 'tasks:write', 'deliveries', 'admin', 'operator'] as const
export type KeyScope = (typeof keyScopes)[number]

/** What the keys of a role may do at most, and do unless told otherwise. */
export const scopesOfRole: Readonly<Record<KeyRole, readonly KeyScope[]>> = {
  // Customers' keys lie in programs that need not be able to forge callbacks.
  customer: keyScopes.filter((scope) => scope !== 'operator'),
  operator: keyScopes,
}

/** A key as stored: only its hash and its first characters. Times are in milliseconds. */
export type Key = {
  id: string
  project_id: string
  mode: Mode
  role: KeyRole
  /** What it is for, as people call it. */
  name: string | null
  /** Null: what its role may do. */
  scopes: readonly KeyScope[] | null
  hash: string
  hint: string
  created_at: number
  /** From then on it is as good as revoked; null: never. */
  expires_at: number | null
  /** Up to a minute late; null: never yet. */
  last_used_at: number | null
}

/** What a key may do. */
export const scopesOf = ({ role, scopes }: Pick<Key, 'role' | 'scopes'>): readonly KeyScope[] =>
  scopes ?? scopesOfRole[role]

/** Whether the time of a key is over; `now` is in milliseconds. */
export const isExpired = ({ expires_at }: Pick<Key, 'expires_at'>, now: number): boolean =>
  expires_at !== null && expires_at <= now
