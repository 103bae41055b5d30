// Projects and their keys. Few rows, rarely written.
import {
  defaultSettings,
  type Key,
  type Project,
  type ProjectSettings,
  type Secret,
} from '../../domain/project.ts'
import { bulk, type Row } from '../database.ts'
import type { Idempotency } from '../store.ts'
import type { WriteContext } from './context.ts'
import { takeIdempotency } from './idempotency.ts'
import { insertSecrets } from './secrets.ts'

const insertKey = bulk(
  {
    id: 'text',
    project_id: 'text',
    mode: 'text',
    role: 'text',
    hash: 'text',
    hint: 'text',
    created_at: 'bigint',
  },
  (v) => `insert into keys (id, project_id, mode, role, hash, hint, created_at)
    select v.id, v.project_id, v.mode, v.role, v.hash, v.hint, v.created_at from ${v}`,
)

export type CreateProject = {
  project: Project
  keys: Key[]
  secrets: Secret[]
  idempotency: Idempotency | null
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
  { project, keys, secrets, idempotency }: CreateProject,
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
  await tx.bulk(insertKey, keys)
  await insertSecrets(tx, secrets)
  return true
}

/** Takes an idempotency key, if there is one; true when another request has it. */
async function isTaken(context: WriteContext, idempotency: Idempotency | null): Promise<boolean> {
  return idempotency !== null && (await takeIdempotency(context, [idempotency])).size > 0
}

export async function updateProject(
  { tx, now }: WriteContext,
  { project_id, settings }: { project_id: string; settings: Partial<ProjectSettings> },
): Promise<Project | null> {
  const [row] = await tx.all(`select * from projects where id = $1 ${tx.flavor.forUpdate}`, [project_id])
  if (row === undefined) return null
  const project = projectOf(row)
  const merged = { ...project.settings, ...settings }
  await tx.all('update projects set settings = $2, updated_at = $3 where id = $1', [
    project_id,
    JSON.stringify(merged),
    now,
  ])
  return { ...project, settings: merged, updated_at: now }
}

export async function createKey(
  context: WriteContext,
  { key, idempotency }: { key: Key; idempotency: Idempotency | null },
): Promise<boolean> {
  if (await isTaken(context, idempotency)) return false
  await context.tx.bulk(insertKey, [key])
  return true
}

export async function revokeKey(
  { tx }: WriteContext,
  { project_id, key_id }: { project_id: string; key_id: string },
): Promise<boolean> {
  const rows = await tx.all('delete from keys where project_id = $1 and id = $2 returning id', [
    project_id,
    key_id,
  ])
  return rows.length > 0
}
