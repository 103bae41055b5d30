// What a new project is born with: keys that are shown once and kept as hashes, secrets that are kept to be read again.
import { hash } from 'node:crypto'
import type { Key, KeyRole } from '../domain/key.ts'
import { defaultSettings } from '../domain/project.ts'
import type { Mode, Project, Secret, SecretKind } from '../domain/project.ts'
import type { Dialect } from './dialect.ts'

/** The plain texts of a new project's keys and secrets (native contract §5); nothing else ever shows the keys again. */
export type Credentials = {
  live_key: string
  test_key: string
  operator_key: string
  test_operator_key: string
  callback_auth_key: string
  test_callback_auth_key: string
  signing_secret: string
}

export type Sources = {
  /** In milliseconds. */
  now: () => number
  newId: () => string
  /** Gives that many random bytes. */
  randomBytes: (size: number) => Buffer
}

const KEY_BYTES = 24
const HINT_CHARS = 4

/** The hash under which a key is stored and found: SHA-256 of its text, in hex. */
export const keyHash = (text: string): string => hash('sha256', text)

/** What decides how credentials look. */
type Forms = Pick<Dialect, 'credentials'>

/** What a key is made for; without a name, with all that its role may do, and for ever unless told. */
type KeyInput = { project_id: string; mode: Mode; role: KeyRole } & Partial<
  Pick<Key, 'name' | 'scopes' | 'expires_at'>
>

/** Makes a key (`rb_op_test_…`, a customer's as the dialect has it): the row to store and the text to show once. */
export function createKey(
  { credentials }: Forms,
  { project_id, mode, role, name = null, scopes = null, expires_at = null }: KeyInput,
  { now, newId, randomBytes }: Sources,
): { key: Key; text: string } {
  const prefix = role === 'operator' ? `rb_op_${mode}_` : credentials.key_prefix[mode]
  const text = prefix + randomBytes(KEY_BYTES).toString('hex')
  const hint = text.slice(0, prefix.length + HINT_CHARS)
  const key = {
    id: newId(),
    project_id,
    mode,
    role,
    name,
    scopes,
    hash: keyHash(text),
    hint,
    created_at: now(),
    expires_at,
    last_used_at: null,
  }
  return { key, text }
}

/** Makes a secret that is current from now on; a signing secret is for both modes and has the mode null. */
export function createSecret(
  { credentials }: Forms,
  { project_id, kind, mode }: { project_id: string; kind: SecretKind; mode: Mode },
  { now, newId, randomBytes }: Sources,
): Secret {
  const row = { id: newId(), project_id, kind, created_at: now(), expires_at: null }
  return kind === 'signing'
    ? { ...row, mode: null, value: credentials.signingSecret(randomBytes) }
    : { ...row, mode, value: credentials.auth_prefix[mode] + randomBytes(KEY_BYTES).toString('hex') }
}

export type NewProject = {
  project: Project
  keys: Key[]
  secrets: Secret[]
  /** With the names that the dialect has for them besides ours. */
  credentials: Credentials & Record<string, string>
}

/** Makes a project with all its credentials; the caller writes `project`, `keys` and `secrets`, and shows `credentials`. */
export function createProjectWithCredentials(
  dialect: Pick<Dialect, 'name' | 'credentials' | 'settings'>,
  input: { name: string; default_callback_url: string | null; host?: string | null },
  sources: Sources,
): NewProject {
  const created_at = sources.now()
  const project_id = sources.newId()
  const key = (mode: Mode, role: KeyRole) => createKey(dialect, { project_id, mode, role }, sources)
  const secret = (kind: SecretKind, mode: Mode) => createSecret(dialect, { project_id, kind, mode }, sources)
  const live = key('live', 'customer')
  const test = key('test', 'customer')
  const operator = key('live', 'operator')
  const testOperator = key('test', 'operator')
  const signing = secret('signing', 'live')
  const auth = secret('callback_auth', 'live')
  const testAuth = secret('callback_auth', 'test')
  const credentials: Credentials = {
    live_key: live.text,
    test_key: test.text,
    operator_key: operator.text,
    test_operator_key: testOperator.text,
    callback_auth_key: auth.value,
    test_callback_auth_key: testAuth.value,
    signing_secret: signing.value,
  }
  return {
    project: {
      id: project_id,
      name: input.name,
      dialect: dialect.name,
      host: input.host ?? null,
      settings: { ...defaultSettings, ...dialect.settings, default_callback_url: input.default_callback_url },
      created_at,
      updated_at: created_at,
    },
    keys: [live.key, test.key, operator.key, testOperator.key],
    secrets: [signing, auth, testAuth],
    credentials: { ...credentials, ...dialect.credentials.aliases?.(credentials) },
  }
}
