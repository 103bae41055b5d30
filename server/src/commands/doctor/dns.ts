// Whether names of receivers can be resolved, asked by the resolver that the server has: neither search domains nor other
// sources of the operating system count.
import { getServers } from 'node:dns'
import { isIP } from 'node:net'
import type { Guard } from '../../app.ts'
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'
import { span } from '../dev/words.ts'
import type { Purpose } from './settings.ts'

// Kept for examples (RFC 2606), and in the DNS for good.
const WELL_KNOWN = 'example.com'

type Asked = { purpose: Purpose; public_url: string | null; servers?: readonly string[] }

/** Resolves the name of the public URL, or a well-known one where that has none. */
export async function checkDns(
  { resolver, resolve_timeout_ms }: Guard,
  { purpose, public_url, servers = getServers() }: Asked,
): Promise<Finding> {
  const name = nameOf(public_url) ?? WELL_KNOWN
  const asked = `${servers.length === 0 ? 'no name server' : servers.join(', ')}, time-out ${span(resolve_timeout_ms)}`
  const begun_at = performance.now()
  const resolution = await resolver.resolve(name)
  resolver.close()
  if ('addresses' in resolution) {
    const took = span(performance.now() - begun_at)
    return ok(`${name} is ${resolution.addresses.join(', ')}, after ${took} (${asked})`)
  }
  const found = `${resolution.failure.replace(/\.$/, '')} (${asked})`
  if (resolution.missing) return warn(found, 'DNS answers; see that it knows the names of your receivers')
  const remedy = 'see to the name servers of this machine; callbacks to names wait until they answer'
  // `dev` delivers to itself.
  return purpose === 'dev' ? warn(found, remedy) : fail(found, remedy)
}

function nameOf(public_url: string | null): string | undefined {
  if (public_url === null) return undefined
  const { hostname } = new URL(public_url)
  return isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0 ? hostname : undefined
}
