// A destination's id is derived, not drawn: every process that creates a task finds the same row without asking.
import { hash } from 'node:crypto'
import { parseTarget, type DestinationKind } from '../domain/destination.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import type { Destination } from '../store/store.ts'

/** The id of the destination with this key (domain/destination.ts): 128 bits of a SHA-256, in hex. */
export const destinationId = (
  { project_id, mode }: Scope,
  key: string,
  kind: DestinationKind = 'callback',
): string =>
  hash('sha256', `${project_id}|${mode}|${kind === 'callback' ? '' : `${kind} `}${key}`).slice(0, 32)

/** The destination of what is called at a URL; undefined for what is none. */
export function callDestinationOf(scope: Scope, url: string): Destination | undefined {
  try {
    const { kind, key } = parseTarget(url)
    return kind === 'http' ? callDestination(scope, key) : undefined
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

/** The destination of what is called at an origin. */
export const callDestination = ({ project_id, mode }: Scope, key: string): Destination => ({
  id: destinationId({ project_id, mode }, key, 'call'),
  project_id,
  mode,
  kind: 'call',
  key,
})
