// Who is calling: a key decides project and mode. What belongs to others is "not found", never "forbidden".
import type { FastifyRequest } from 'fastify'
import type { Key } from '../domain/key.ts'
import type { Project, Scope } from '../domain/project.ts'
import { keyHash } from './credentials.ts'
import type { Directory } from './directory.ts'

/** The holder of a key. */
export type Caller = { scope: Scope; role: Key['role']; project: Project; key: Key }

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler that needs one runs; see `callerOf`. */
    caller: Caller | null
  }
}

/** The holder of this key; undefined when it does not exist, was revoked or has expired. */
export async function findCaller(
  directory: Pick<Directory, 'key' | 'project'>,
  text: string,
): Promise<Caller | undefined> {
  const key = await directory.key(keyHash(text))
  const project = key && (await directory.project(key.project_id))
  if (!key || !project) return undefined
  return { scope: { project_id: key.project_id, mode: key.mode }, role: key.role, project, key }
}

/** The customer of a dialect who holds this key; undefined for any other key, an operator's included. */
export async function findCustomer(
  directory: Pick<Directory, 'key' | 'project'>,
  dialect: string,
  text: string,
): Promise<Caller | undefined> {
  const caller = await findCaller(directory, text)
  return caller?.role === 'customer' && caller.project.dialect === dialect ? caller : undefined
}

/** The caller of a request behind the hook that finds it. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new Error('A route without authentication asked for its caller')
  return caller
}
