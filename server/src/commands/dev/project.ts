// The project `default` of `dev`: made at the first start, its callbacks going to this server's own inbox.
import { randomBytes } from 'node:crypto'
import type { App } from '../../app.ts'
import { createProjectWithCredentials } from '../../dialects/credentials.ts'
import type { DevState } from './state.ts'

/** Where the project's callbacks go unless a task says otherwise. */
export const inboxUrl = (base_url: string): string => `${base_url}/dev/inbox`

/** Gives the state with the project in it, which is made if the database has none yet. */
export async function ensureProject(
  { store, newId }: Pick<App, 'store' | 'newId'>,
  state: DevState,
  base_url: string,
): Promise<DevState> {
  const known = state.project_id === '' ? undefined : await store.findProject(state.project_id)
  if (known !== undefined) {
    // Another port than at the last start; a URL that somebody has set since is left alone.
    if (known.settings.default_callback_url === inboxUrl(state.base_url)) {
      await store.updateProject(known.id, { default_callback_url: inboxUrl(base_url) })
    }
    return { ...state, base_url }
  }
  const { project, keys, secrets, credentials } = createProjectWithCredentials(
    { name: 'default', dialect: 'native', default_callback_url: inboxUrl(base_url) },
    { now: Date.now, newId, randomBytes },
  )
  await store.createProject({ project, keys, secrets })
  const { live_key, test_key, callback_auth_key, signing_secret } = credentials
  return { ...state, base_url, project_id: project.id, live_key, test_key, callback_auth_key, signing_secret }
}
