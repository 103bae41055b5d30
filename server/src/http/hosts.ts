// Host names of projects: at its own name a project's dialect stands at the root, so that clients which know nothing but
// another host keep working.
import type { IncomingMessage } from 'node:http'
import type { ApiOptions } from './deps.ts'

// So long another process may not have heard of a new name.
const FRESH_MS = 1000
const ABSOLUTE = /^https?:\/\/([^/?#]*)(\/.*)$/i

export type Hosts = {
  /** The path to route by: that of the request, behind the mount of the dialect whose host it names. */
  rewrite(request: Pick<IncomingMessage, 'url' | 'headers'>): string
  /** Reads the names anew. */
  refresh(): Promise<void>
}

/** Makes the table of host names; `refresh` fills it. It is read anew on use, while requests go on with what is known. */
export function createHosts({ store, dialects, log }: Pick<ApiOptions, 'store' | 'dialects' | 'log'>): Hosts {
  const mountOf = new Map(dialects.all.map(({ name, front }) => [name, front?.mount]))
  let mounts = new Map<string, string>()
  let fresh_until = -Infinity

  async function refresh(): Promise<void> {
    fresh_until = performance.now() + FRESH_MS
    const hosts = await store.listHosts()
    // A dialect that only a newer program has is served by nodes of that; here its host is like any other.
    mounts = new Map(hosts.map(({ host, dialect }) => [host, mountOf.get(dialect) ?? '']))
  }

  return {
    rewrite({ url: target = '/', headers }) {
      if (performance.now() > fresh_until) {
        refresh().catch((error: unknown) => log.warn({ err: error }, 'hosts.unread'))
      }
      if (mounts.size === 0) return target
      // A URL that names a host goes before the header (RFC 9112 §3.2.2).
      const [, host = headers.host, url = target] = ABSOLUTE.exec(target) ?? []
      return (mounts.get(nameOf(host)) ?? '') + url
    },
    refresh,
  }
}

/** A host without its port and the dot of the root, in lower case. */
const nameOf = (host = '') => host.replace(/\.?(:\d+)?$/, '').toLowerCase()
