// The addresses of this machine's own network interfaces. A public one is as much inside as loopback: whatever listens on all
// interfaces answers there, and no firewall stands between.
import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'

const READ_EVERY_MS = 5000

/**
 * Makes the function that says whether an address, as ipaddr.js prints it, is this machine's own. Interfaces come and go: they
 * are read again after 5 s of the clock `now` (milliseconds, monotonic).
 */
export function createOwnAddresses({
  interfaces = networkInterfaces,
  now = () => performance.now(),
}: { interfaces?: typeof networkInterfaces; now?: () => number } = {}): (address: string) => boolean {
  let own: ReadonlySet<string> = new Set()
  let nextReadAt = -Infinity
  return (address) => {
    if (now() >= nextReadAt) {
      nextReadAt = now() + READ_EVERY_MS
      const found = Object.values(interfaces()).flatMap((entries) => entries ?? [])
      own = new Set(found.map((entry) => ipaddr.process(entry.address.replace(/%.*/, '')).toString()))
    }
    return own.has(address)
  }
}
