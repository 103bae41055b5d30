// The one project of a crash test, made over the API as an operator makes it.
import assert from 'node:assert/strict'
import { openApi } from './api.ts'
import { adminKey } from './server-process.ts'

/** What its clients and its receivers need. */
export type Credentials = { live_key: string; signing_secret: string }

/** Creates a project on a server that listens, and gives it these settings. */
export async function createProject(base_url: string, settings: object): Promise<Credentials> {
  await using admin = openApi(base_url, adminKey)
  const created = await admin.send('POST', '/v1/admin/projects', { name: 'crash' })
  assert.equal(created?.status, 201)
  const { credentials } = created.body as { credentials: Credentials }
  await using api = openApi(base_url, credentials.live_key)
  const updated = await api.send('PATCH', '/v1/project', settings)
  assert.equal(updated?.status, 200)
  return credentials
}
