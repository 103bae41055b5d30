// The guard between customers' URLs and our own network. It judges addresses, never names: a name is judged by what it
// resolves to at the moment of connecting, and the connection goes to exactly the address that was judged. What the
// operator's own settings name (a mail server, a proxy) is not for the guard.
import { isIP } from 'node:net'
import { SendError } from '../domain/outcome.ts'
import { forbiddenRange, parseAllowList } from './address-range.ts'
import { createConnector, portOf, type Connect, type Reach } from './connector.ts'
import { createOwnAddresses } from './own-addresses.ts'
import type { Resolver } from './resolver.ts'

export type Verdict = { ok: true } | { ok: false; reason: string }

export type Egress = {
  /**
   * Judges a URL when a task is created, by the rules that hold when it is sent. A name that does not resolve within a second
   * passes: it may by then, and is judged again.
   */
  checkUrl(url: URL): Promise<Verdict>
  /** The connector of the HTTP client: resolves, judges every address, connects to one of those judged. */
  connect: Connect
}

// Below it are the services of a machine; from it on anything may be a web server.
const FIRST_FREE_PORT = 1024
const WEB_PORTS: readonly number[] = [80, 443]
// A refusal at creation is a courtesy, since every connection is judged: callers are not held up for it by a name server that
// never answers, nor all released at one moment, at the cost of everybody else, when its time is over.
const CREATE_PATIENCE_MS = 1000

/** Says why a URL's scheme is not ours to call, in one sentence; undefined for http and https. */
export function schemeFault(url: URL): string | undefined {
  return url.protocol === 'http:' || url.protocol === 'https:'
    ? undefined
    : `Scheme ${url.protocol} is not http or https.`
}

/**
 * Makes the guard. `allow` holds CIDR ranges that are open though they are not globally routable; a bad entry throws.
 * Nothing else opens an address, no name is special. `ports` are open besides 80, 443 and those from 1024 on. With `reach`
 * connections are opened by it instead of directly.
 */
export function createEgress({
  allow,
  ports = [],
  resolver,
  reach,
  isOwn = createOwnAddresses(),
}: {
  allow: readonly string[]
  ports?: readonly number[]
  resolver: Resolver
  reach?: Reach
  /** Whether an address is one of this machine. */
  isOwn?: (address: string) => boolean
}): Egress {
  const allowList = parseAllowList(allow)
  const lowPorts = [...WEB_PORTS, ...ports].filter((port) => port < FIRST_FREE_PORT)

  async function vet(hostname: string, port: number, patience_ms?: number): Promise<readonly string[]> {
    if (port < FIRST_FREE_PORT && !lowPorts.includes(port))
      throw new SendError(
        'forbidden',
        `Port ${port} is closed: of those below ${FIRST_FREE_PORT} only ${lowPorts.join(', ')} may be called.`,
      )
    if (isIP(hostname) !== 0) {
      const range = forbiddenRange(hostname, allowList, isOwn)
      if (range !== undefined)
        throw new SendError('forbidden', `The address ${hostname} is not public (${range}).`)
      return [hostname]
    }
    const addresses = await addressesOf(hostname, resolver, patience_ms)
    // One forbidden address condemns the name: no honest receiver mixes them, and a rebinding one hopes for our second
    // try. The address itself is not told: the sentence reaches the customer, who must not learn our network by guessing.
    for (const address of addresses) {
      const range = forbiddenRange(address, allowList, isOwn)
      if (range === undefined) continue
      throw new SendError(
        'forbidden',
        `The name ${hostname} resolves to an address that is not public (${range}).`,
      )
    }
    return addresses
  }

  return {
    async checkUrl(url) {
      const fault = schemeFault(url)
      if (fault !== undefined) return { ok: false, reason: fault }
      try {
        await vet(url.hostname.replace(/^\[(.*)\]$/, '$1'), portOf(url), CREATE_PATIENCE_MS)
      } catch (error) {
        if (!(error instanceof SendError)) throw error
        if (error.kind === 'forbidden') return { ok: false, reason: error.message }
      }
      return { ok: true }
    },
    connect: createConnector({ vet, reach }),
  }
}

/** The connector for where the operator's own settings lead: to any address and port. */
export const createOpenConnect = (resolver: Resolver): Connect =>
  createConnector({ vet: (hostname) => addressesOf(hostname, resolver) })

/** What a host name or literal stands for, unjudged; throws a SendError for a name that does not resolve. */
export async function addressesOf(
  hostname: string,
  resolver: Resolver,
  patience_ms?: number,
): Promise<readonly string[]> {
  if (isIP(hostname) !== 0) return [hostname]
  const resolution = await resolver.resolve(hostname, patience_ms)
  if ('failure' in resolution) throw new SendError('dns', resolution.failure)
  return resolution.addresses
}
