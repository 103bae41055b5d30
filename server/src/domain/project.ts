// A project is a tenant: keys, secrets, settings and one dialect. Its live and test modes are separate worlds, so the
// pair (project, mode) is what every look-up of a caller is bound to.

export const modes = ['live', 'test'] as const
export type Mode = (typeof modes)[number]

/** Whose objects a caller may see. */
export type Scope = { project_id: string; mode: Mode }

/** So many requests in `window_s` seconds. */
export type Rate = { count: number; window_s: number }

/** What each destination of a project takes at most: attempts at a time, and begun in a second (null: no limit). */
export type Limits = { in_flight: number; per_second: number | null }

/** What a project's owner can set (native contract §5). */
export type ProjectSettings = {
  default_callback_url: string | null
  retry: { retries: number; window_s: number }
  timeout_ms: number
  expires_in_s: number | null
  order: 'task' | 'none'
  limits: Limits
  retention_days: number
}

export const defaultSettings: ProjectSettings = {
  default_callback_url: null,
  retry: { retries: 20, window_s: 86_400 },
  timeout_ms: 30_000,
  expires_in_s: null,
  order: 'task',
  limits: { in_flight: 64, per_second: null },
  retention_days: 30,
}

/** `host` is the name by which requests for this project are known where neither key nor path tells it; null has none. */
export type Project = {
  id: string
  name: string
  dialect: string
  host: string | null
  settings: ProjectSettings
  created_at: number
  updated_at: number
}

/** A host and the project whose it is. */
export type Host = { host: string; project_id: string; dialect: string }

export const secretKinds = ['signing', 'callback_auth'] as const
export type SecretKind = (typeof secretKinds)[number]

/** A secret that must be read again; `mode` null is both modes, `expires_at` the end of its grace after a rotation. */
export type Secret = {
  id: string
  project_id: string
  kind: SecretKind
  mode: Mode | null
  value: string
  created_at: number
  expires_at: number | null
}

/** Whether a secret may still be used: it is the current one of its kind, or in its grace. `now` is in milliseconds. */
export const isHolding = ({ expires_at }: Secret, now: number): boolean =>
  expires_at === null || expires_at > now

/** Secrets of one kind and mode that may hold at once: each is one more signature in every callback. */
export const HOLDING_SECRETS_MAX = 3
