// The limit of what needs no key but a one-time secret, inbound URLs and signals together: so many requests of one address in any window of time, exactly. A fixed window would let
// twice as many through at its edge. Only admitted requests count, so a caller that never pauses still gets its share.
import { isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { LimitInbound } from '../dialects/front.ts'
import type { Rate } from '../domain/project.ts'

// Some 20 MB when all are full. Past it the address that was quiet for longest is forgotten.
const ADDRESSES_MAX = 50_000

/** Makes a limiter, one that admits everything without a rate; its memory is bounded, and addresses that were quiet for a whole window cost nothing. */
export function createLimiter(rate: Rate | null): LimitInbound {
  if (rate === null) return () => 0
  const { count, window_s } = rate
  const window_ms = window_s * 1000
  // In the order of last use: the one that was quiet for longest stands first.
  const addresses = new Map<string, number[]>()

  function forgetQuiet(now: number): void {
    for (const [address, times] of addresses) {
      const quiet = (times.at(-1) ?? 0) + window_ms <= now
      if (!quiet && addresses.size <= ADDRESSES_MAX) return
      addresses.delete(address)
    }
  }

  return (address, now) => {
    const key = addressGroup(address)
    const times = addresses.get(key) ?? []
    const oldest = times.length < count ? undefined : times[0]
    if (oldest !== undefined && oldest + window_ms > now) return oldest + window_ms - now
    if (times.length >= count) times.shift()
    times.push(now)
    addresses.delete(key)
    addresses.set(key, times)
    forgetQuiet(now)
    return 0
  }
}

// Some proxies write the port behind the address that they forward.
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/

/** What counts as one caller: an IPv4 address, also one in IPv6 clothes, or the /64 that a site is given whole. */
export function addressGroup(text: string): string {
  if (isIPv4(text)) return text
  const [, bracketed, dotted] = WITH_PORT.exec(text) ?? []
  const address = bracketed ?? dotted ?? text
  if (!ipaddr.isValid(address)) return address.slice(0, 64)
  const parsed = ipaddr.process(address)
  return parsed instanceof ipaddr.IPv6 ? `${parsed.parts.slice(0, 4).join(':')}/64` : parsed.toString()
}
