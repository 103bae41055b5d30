// The platform's own projects: records of kind `project` whose key is the number that customers use. Any number is accepted
// on first use, so most of them have no record (contract §9.10).
import { hash } from 'node:crypto'
import { members, print, verbatim, type Printable } from '../../domain/json.ts'
import type { Scope } from '../../domain/project.ts'
import type { Store } from '../../store/store.ts'
import type { Ext } from './ext.ts'
import { wallDate } from './wall-time.ts'

/** The kind of the records of projects. */
export const PROJECT = 'project'

/** What was given when a project was created; compact JSON texts. */
export type ProjectFields = {
  name: string
  dataType: string
  description: string
  deadline: string
  operators: string
}

// 48 bits: a number that every JSON reader keeps exactly.
const ID_HEX = 12

/** The number of a project: derived from its name, so that two of one name cannot be. */
export const projectIdOf = (name: string): string =>
  String(Number.parseInt(hash('sha256', name).slice(0, ID_HEX), 16))

/** Prints what a record keeps. */
export const printProject = (fields: ProjectFields): string =>
  print(Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, verbatim(text)])))

const readProject = (body: string) => Object.fromEntries(members(body)) as ProjectFields

/** What the tasks of a project have of it. */
export async function toolsOf(
  store: Pick<Store, 'findRecord'>,
  scope: Scope,
  project_id: string,
): Promise<Pick<Ext, 'project_name' | 'operators'>> {
  const record = await store.findRecord(scope, PROJECT, project_id)
  if (record === undefined) return { project_name: 'null', operators: '[]' }
  const { name, operators } = readProject(record.body)
  return { project_name: name, operators }
}

/** A project as its customer sees it; 1 is started: there is no draft to wait for. */
export function presentProject({
  key,
  body,
  created_at,
}: {
  key: string
  body: string
  created_at: number
}): Printable {
  const { name, dataType, description, deadline, operators } = readProject(body)
  return {
    projectId: Number(key),
    name: verbatim(name),
    dataType: verbatim(dataType),
    description: verbatim(description),
    deadline: verbatim(deadline),
    operators: verbatim(operators),
    status: STARTED,
    created_at: wallDate(created_at),
  }
}

/** The status of a project that takes tasks. */
export const STARTED = 1
