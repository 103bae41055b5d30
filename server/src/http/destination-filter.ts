// Destinations as filters name them. One that nothing ever went to is no mistake: nothing matches it.
import { destinationId } from '../dialects/destination-id.ts'
import { parseTarget } from '../domain/destination.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'

/** The id of the destination that a destination's id, an origin or a mail domain names; throws `invalid_request`. */
export function destinationFilter(scope: Scope, text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text
  return destinationId(scope, text.includes('://') ? originOf(text) : `mailto:${text.toLowerCase()}`)
}

function originOf(text: string): string {
  try {
    return parseTarget(text).key
  } catch {
    throw new AppError(
      'invalid_request',
      'destination: must be a destination_id, an origin like https://example.com, or a mail domain',
    )
  }
}
