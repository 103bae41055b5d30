// The project `default` of `dev`: made at the first start, its callbacks going to this server's own inbox.
import { randomBytes } from 'node:crypto'
import type { App } from '../../app.ts'
import { createKey, createProjectWithCredentials, type Sources } from '../../dialects/credentials.ts'
import type { Dialect } from '../../dialects/dialect.ts'
import { newAudit, type Act, type Audit, type AuditSubject } from '../../domain/audit.ts'
import { toldUrl } from '../../domain/destination.ts'
import { isHolding, type SecretKind } from '../../domain/project.ts'
import type { Store } from '../../store/store.ts'
import type { DevState } from './state.ts'

/** What `dev` does by itself, as it is written down. */
const auditOf = (newId: () => string, act: Act, subject: AuditSubject): Audit =>
  newAudit(newId(), act, { actor: 'dev' }, subject)

/** Where the project's callbacks go unless a task says otherwise. */
export const inboxUrl = (base_url: string): string => `${base_url}/dev/inbox`

/** Gives the state with the project in it, which is made if the database has none yet. */
export async function ensureProject(
  { store, newId, dialects }: Pick<App, 'store' | 'newId' | 'dialects'>,
  state: DevState,
  base_url: string,
): Promise<DevState> {
  const sources = { now: Date.now, newId, randomBytes }
  const dialect = dialects.get('native')
  const known = state.project_id === '' ? undefined : await store.findProject(state.project_id)
  if (known !== undefined) {
    // Another port than at the last start; a URL that somebody has set since is left alone.
    const ours = known.settings.default_callback_url === inboxUrl(state.base_url)
    if (ours && state.base_url !== base_url) {
      const default_callback_url = inboxUrl(base_url)
      const audit = auditOf(newId, 'project.update', {
        project_id: known.id,
        object: known.id,
        detail: { default_callback_url: toldUrl(default_callback_url) },
      })
      await store.updateProject(known.id, { default_callback_url }, audit)
    }
    const [callback_auth_key = ''] = await secretsOf(store, known.id, 'callback_auth')
    const [signing_secret = ''] = await secretsOf(store, known.id, 'signing')
    const operator_key = state.operator_key || (await addOperatorKey(store, dialect, known.id, sources))
    return { ...state, base_url, callback_auth_key, signing_secret, operator_key }
  }
  const { project, keys, secrets, credentials } = createProjectWithCredentials(
    dialect,
    { name: 'default', default_callback_url: inboxUrl(base_url) },
    sources,
  )
  const { id, name, dialect: spoken } = project
  const audit = auditOf(newId, 'project.create', {
    project_id: id,
    object: id,
    detail: { name, dialect: spoken },
  })
  await store.createProject({ project, keys, secrets, audit })
  const { live_key, test_key, operator_key, callback_auth_key, signing_secret } = credentials
  return {
    ...state,
    base_url,
    project_id: project.id,
    live_key,
    test_key,
    operator_key,
    callback_auth_key,
    signing_secret,
  }
}

/** The texts of a project's secrets that callbacks of live mode carry now, the current one first. */
export async function secretsOf(store: Store, project_id: string, kind: SecretKind): Promise<string[]> {
  const now = store.now()
  return (await store.secrets(project_id))
    .filter((secret) => secret.kind === kind && secret.mode !== 'test' && isHolding(secret, now))
    .map(({ value }) => value)
}

// An older program wrote no operator key down, and of a key that was made only the hash is left.
async function addOperatorKey(
  store: Store,
  dialect: Dialect,
  project_id: string,
  sources: Sources,
): Promise<string> {
  const { key, text } = createKey(dialect, { project_id, mode: 'live', role: 'operator' }, sources)
  const { id: object, mode, role } = key
  const audit = auditOf(sources.newId, 'key.create', { project_id, mode, object, detail: { role } })
  await store.createKey(key, null, audit)
  return text
}
