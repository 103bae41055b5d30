// The headers that a task's call is sent with. What no HTTP client could send is refused here and not at the call, and so is what
// the client makes itself: a header of that kind could put a second request behind the first.
import { fieldsOf, invalid, type Fields } from './fields.ts'

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/
// Of what is beyond ASCII only Latin-1 can be sent.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OURS =
  /^(host|content-length|connection|transfer-encoding|keep-alive|upgrade|te|trailer|expect|proxy-.*)$/i
// As much as servers usually take.
const MOST_CHARS = 16_384

/** Whether a text can be the value of a header. */
export const isHeaderValue = (value: string): boolean => VALUE.test(value)

/** The headers of a request. */
export function readHeaders(fields: Fields): Record<string, string> {
  const given = fields.object('headers') ?? {}
  const within = fieldsOf(given, 'headers')
  const headers = Object.entries(given).map(([name, value]): [string, string] => {
    const field = within.nameOf(name)
    if (!NAME.test(name))
      throw invalid('headers', `has ${JSON.stringify(name.slice(0, 100))}, which is no name of a header`)
    if (OURS.test(name)) throw invalid(field, 'is made by this server and cannot be given')
    if (typeof value !== 'string') throw invalid(field, 'must be a string')
    if (!isHeaderValue(value)) throw invalid(field, 'has a character that no header can have')
    return [name, value]
  })
  const chars = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (chars > MOST_CHARS) throw invalid('headers', `must have ${MOST_CHARS} characters together at most`)
  return Object.fromEntries(headers)
}
