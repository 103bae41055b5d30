// Lists are keyset pages: a cursor is the sort key of the last row shown, never an offset.
import { AppError } from './errors.ts'
import { hash32 } from './id.ts'

/** A page request: at most `limit` rows after `after` (the sort key of the last row seen), or from the start. */
export type PageRequest = { limit: number; after: string | null }

/** A page: rows and whether more follow. */
export type Page<T> = { rows: T[]; has_more: boolean }

const checkOf = (key: string) => hash32(key).toString(36)

/** Wraps a sort key so that callers treat it as opaque. */
export const encodeCursor = (key: string): string =>
  btoa(`${key}.${checkOf(key)}`)
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')

/** Unwraps a cursor; throws `invalid_request` for anything that is none of ours. */
export function decodeCursor(cursor: string): string {
  try {
    const [, key, check] =
      /^([\w-]{1,64})\.(\w+)$/.exec(atob(cursor.replaceAll('-', '+').replaceAll('_', '/'))) ?? []
    if (key !== undefined && check === checkOf(key)) return key
  } catch {
    // Not base64: the same answer as any other foreign cursor.
  }
  throw foreignCursor()
}

/** The error for a cursor that is of another list, or of none. */
export const foreignCursor = (): AppError =>
  new AppError('invalid_request', 'cursor: not a cursor of this list; pass next_cursor as it was given')

/** Cuts one row too many off a page that was read with `limit + 1`. */
export function toPage<T>(rows: T[], limit: number): Page<T> {
  return { rows: rows.length > limit ? rows.slice(0, limit) : rows, has_more: rows.length > limit }
}
