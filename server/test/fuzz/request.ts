// A request before it is bytes, and as a person would send it again.
import { print, type Printable } from '../../src/domain/json.ts'
import type { Route } from './routes.ts'

/** Valid in shape, changed in places, with a body of noise, or hardly HTTP at all. */
export type Style = 'valid' | 'mutated' | 'random' | 'broken'

/** Whose key a request carries, and whose things it can name. */
export type World = {
  name: string
  /** What is known of things in it; those who share them share this. */
  pool: string
  /** Made anew for each request, since some are signed with the time. */
  headers: () => [name: string, value: string][]
}

export type Request = {
  route: Route
  style: Style
  world: World
  method: string
  /** Path and query, as they stand in the request line. */
  target: string
  /** What stands in the path for the route's parameters. */
  params: Record<string, string>
  headers: [name: string, value: string][]
  /** A tree as long as it may still be changed; bytes are final. */
  body: Printable | Buffer | undefined
  /** False where the path may have become that of another route, or the bytes no request at all. */
  isForRoute: boolean
  /** The client hangs up after this time; long waits are not for a fuzzer. */
  patience_ms: number
}

/** The body's bytes. */
export const bodyOf = ({ body }: Request): Buffer | undefined =>
  body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(print(body))

/** The bytes of a request. A length is added unless its headers say how the body is framed. */
export function bytesOf(request: Request): Buffer {
  const body = bodyOf(request)
  const names = new Set(request.headers.map(([name]) => name.toLowerCase()))
  const isFramed = names.has('content-length') || names.has('transfer-encoding')
  const lines = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...(names.has('host') ? [] : ['host: 127.0.0.1']),
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    ...(isFramed || body === undefined ? [] : [`content-length: ${body.length}`]),
  ]
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return body === undefined ? head : Buffer.concat([head, body])
}

const SHOWN = 2000
const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** A request as a command line, for reading; bytes that no terminal shows are lost in it. */
export function asCurl(request: Request): string {
  const body = bodyOf(request)?.toString()
  return [
    `curl -X ${request.method} ${quoted(`$BASE${request.target}`.slice(0, SHOWN))}`,
    ...request.headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`.slice(0, SHOWN))}`),
    ...(body === undefined ? [] : [`-d ${quoted(body.slice(0, SHOWN))}`]),
  ].join(' ')
}
