// The headers that a task's call is sent with: texts, and such that they can be sent.
import { assertCallHeaders } from '../call-headers.ts'
import { fieldsOf, invalid, type Fields } from './fields.ts'

/** The headers of a request. */
export function readHeaders(fields: Fields): Record<string, string> {
  const given = fields.object('headers') ?? {}
  const within = fieldsOf(given, 'headers')
  const headers = Object.entries(given).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw invalid(within.nameOf(name), 'must be a string')
    return [name, value]
  })
  const read = Object.fromEntries(headers)
  assertCallHeaders(read, 'headers')
  return read
}
