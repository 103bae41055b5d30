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

// A hundred tasks of 900 kB in one page, asked for by four at a time, gave everybody else a p99 of 1.3 s (measured).
/** What a page of large rows comes to at most, if it has more than one. */
export const PAGE_BYTES = 4 * 1024 * 1024

/** Cuts a page where its rows come to more than `most_bytes`; the first one stays in any case. */
export function cutPage<T>(page: Page<T>, most_bytes: number, bytesOf: (row: T) => number): Page<T> {
  let left = most_bytes
  const end = page.rows.findIndex((row, i) => (left -= bytesOf(row)) < 0 && i > 0)
  return end < 0 ? page : { rows: page.rows.slice(0, end), has_more: true }
}

/** Cuts one row too many off a page that was read with `limit + 1`. */
export function toPage<T>(rows: T[], limit: number): Page<T> {
  return { rows: rows.length > limit ? rows.slice(0, limit) : rows, has_more: rows.length > limit }
}
