// Where everything goes that the server sends: a receiver that takes, fails and dawdles by its path, and serves the files that
// imports read.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { jsonLines, imageRecord } from '../dialects/stardust-writing.ts'

export type Sink = AsyncDisposable & { url(path: string): string }

const SLOW_MS = 300
const statuses: Readonly<Record<string, number>> = { '/fail': 500, '/gone': 410 }

/** Starts it. */
export async function startSink(): Promise<Sink> {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://sink')
    request.resume()
    response.statusCode = statuses[pathname] ?? 200
    const end = () => response.end(contentOf(pathname, search))
    if (pathname === '/slow') setTimeout(end, SLOW_MS)
    else end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = (path: string) => `http://127.0.0.1:${port}${path}`

  /** A file's records are other ones each time that it is named otherwise. */
  function contentOf(path: string, search: string): string {
    if (path === '/records') {
      return jsonLines([imageRecord(`a${search}`, url('/ok')), imageRecord(`b${search}`), 'no record'])
    }
    if (path === '/inputs') return JSON.stringify([{ n: 1 }, { n: 2 }])
    return JSON.stringify({ id: 7, status: 'COMPLETED', result: { ok: true } })
  }

  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
