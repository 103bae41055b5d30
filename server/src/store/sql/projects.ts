// Projects. Few rows, rarely written.
import type { Audit } from '../../domain/audit.ts'
import type { Key } from '../../domain/key.ts'
import { defaultSettings, type Project, type ProjectSettings, type Secret } from '../../domain/project.ts'
import type { Row } from '../database.ts'
import type { Idempotency } from '../store.ts'
import { writeAudits } from './audits.ts'
import type { WriteContext } from './context.ts'
import { isTaken } from './idempotency.ts'
import { insertKeys } from './keys.ts'
import { insertSecrets } from './secrets.ts'

export type CreateProject = {
  project: Project
  keys: Key[]
  secrets: Secret[]
  idempotency: Idempotency | null
  audit: Audit | null
}

/** A stored project. Its settings are JSON text in the row; those it was written without have their defaults. */
export const projectOf = (row: Row): Project => ({
  id: String(row.id),
  name: String(row.name),
  dialect: String(row.dialect),
  host: row.host == null ? null : String(row.host),
  settings: settingsOf(String(row.settings)),
  created_at: Number(row.created_at),
  updated_at: Number(row.updated_at),
})

function settingsOf(text: string): ProjectSettings {
  const stored = JSON.parse(text) as Partial<ProjectSettings>
  return { ...defaultSettings, ...stored, limits: { ...defaultSettings.limits, ...stored.limits } }
}

export async function createProject(
  context: WriteContext,
  { project, keys, secrets, idempotency, audit }: CreateProject,
): Promise<boolean> {
  const { tx } = context
  if (await isTaken(context, idempotency)) return false
  await tx.all(
    'insert into projects (id, name, dialect, host, settings, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7)',
    [
      project.id,
      project.name,
      project.dialect,
      project.host,
      JSON.stringify(project.settings),
      project.created_at,
      project.updated_at,
    ],
  )
  await insertKeys(tx, keys)
  await insertSecrets(tx, secrets)
  await writeAudits(context, [audit])
  return true
}

export async function updateProject(
  context: WriteContext,
  {
    project_id,
    settings,
    audit,
  }: { project_id: string; settings: Partial<ProjectSettings>; audit: Audit | null },
): Promise<Project | null> {
  const { tx, now } = context
  const [row] = await tx.all(`select * from projects where id = $1 ${tx.flavor.forUpdate}`, [project_id])
  if (row === undefined) return null
  const project = projectOf(row)
  const merged = { ...project.settings, ...settings }
  await tx.all('update projects set settings = $2, updated_at = $3 where id = $1', [
    project_id,
    JSON.stringify(merged),
    now,
  ])
  if (JSON.stringify(merged) !== JSON.stringify(project.settings)) await writeAudits(context, [audit])
  return { ...project, settings: merged, updated_at: now }
}
