// A destination's id is derived, not drawn: every process that creates a task finds the same row without asking.
import { hash } from 'node:crypto'
import type { Scope } from '../domain/project.ts'

/** The id of the destination with this key (domain/destination.ts): 128 bits of a SHA-256, in hex. */
export const destinationId = ({ project_id, mode }: Scope, key: string): string =>
  hash('sha256', `${project_id}|${mode}|${key}`).slice(0, 32)
