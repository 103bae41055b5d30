// Which headers a call may be given. What frames a request, or belongs to one connection, is the sender's to say; what no header
// can carry is refused where it is given, not when it would be sent.
import { AppError } from '../domain/errors.ts'

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
const OURS =
  /^(host|content-length|connection|transfer-encoding|keep-alive|upgrade|te|trailer|expect|proxy-.*)$/i

const MOST_HEADERS = 50
// As much as most servers take.
const MOST_CHARS = 16_384

/** Whether a text can be the value of a header: one line without control characters (RFC 9110 §5.5). */
export const isHeaderValue = (text: string): boolean => VALUE.test(text)

/** Throws `invalid_request` naming `field` and the header unless all of these can be sent with a call. */
export function assertCallHeaders(headers: Readonly<Record<string, string>>, field: string): void {
  const refuse = (why: string): never => {
    throw new AppError('invalid_request', `${field}${why}`)
  }
  const names = Object.keys(headers)
  if (names.length > MOST_HEADERS) refuse(`: has more than ${MOST_HEADERS} headers; send fewer`)
  const chars = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (chars > MOST_CHARS) refuse(`: has more than ${MOST_CHARS} characters in all; send less`)
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(headers)) {
    if (!NAME.test(name))
      refuse(`: ${JSON.stringify(name.slice(0, 100))} is no name of a header; use letters, digits and dashes`)
    if (OURS.test(name)) refuse(`.${name}: is set by the server itself; remove it`)
    if (seen.has(name.toLowerCase())) refuse(`.${name}: is there twice, in another spelling; keep one`)
    seen.add(name.toLowerCase())
    if (!isHeaderValue(value))
      refuse(`.${name}: has a character that no header can carry, such as a line break; remove or encode it`)
  }
}
