// The shape of every list: `{data, next_cursor}`.
import { Type } from 'typebox'
import { print, type Printable } from '../domain/json.ts'
import { decodeCursor, encodeCursor, foreignCursor, type Page, type PageRequest } from '../domain/page.ts'

const DEFAULT_LIMIT = 20

/** The query of every list. */
export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: 'The most rows of a page; 20 by default' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 200, description: 'next_cursor of the page before' })),
}

/** Reads a list's query; throws `invalid_request` for a foreign cursor. */
export const pageOf = ({ limit, cursor }: { limit?: number; cursor?: string }): PageRequest => ({
  limit: limit ?? DEFAULT_LIMIT,
  after: cursor === undefined ? null : decodeCursor(cursor),
})

/** The same for a list whose sort key is a number: the cursor of another list would be none. */
export function numberedPageOf(query: Parameters<typeof pageOf>[0]): PageRequest {
  const page = pageOf(query)
  if (page.after !== null && !/^\d{1,15}$/.test(page.after)) throw foreignCursor()
  return page
}

/** Prints a page; `keyOf` gives a row's sort key, which is its id unless told. */
export function printPage<T extends { id: string }>(
  { rows, has_more }: Page<T>,
  present: (row: T) => Printable,
  keyOf: (row: T) => string = ({ id }) => id,
): string {
  const last = rows.at(-1)
  return print({
    data: rows.map(present),
    next_cursor: has_more && last !== undefined ? encodeCursor(keyOf(last)) : null,
  })
}
