// Which addresses the program may connect to. The rule is a white list: globally routable unicast, and what the operator
// opened. A list of bad ranges would miss every range that is defined after it was written.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** The CIDR ranges an operator opened; an IPv4 range covers the IPv4-mapped IPv6 form of its addresses, too. */
export type AllowList = readonly (readonly [Address, number])[]

/**
 * Reads allow-list entries: `10.0.0.0/8`, `fd00::/8`, or one address without a length. Throws an error naming the entry
 * that is none; short and octal IPv4 forms are none.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  return entries.map((entry) => {
    const cidr = entry.includes('/') ? entry : `${entry}/${entry.includes(':') ? 128 : 32}`
    if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr) && !ipaddr.IPv6.isValidCIDR(cidr)) {
      throw new Error(
        `The egress allow-list entry "${entry}" is no CIDR range such as 10.0.0.0/8 or fd00::/8`,
      )
    }
    const [address, length] = ipaddr.parseCIDR(cidr)
    return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= 96
      ? [address.toIPv4Address(), length - 96]
      : [address, length]
  })
}

// Azure answers here to its own machines, as others do on link-local addresses.
const PLATFORM = '168.63.129.16'

/**
 * Says why an IP address may not be connected to, as the name of its range; undefined when it may. `isOwn` knows the addresses
 * of this machine, as ipaddr.js prints them.
 */
export function forbiddenRange(
  text: string,
  allow: AllowList,
  isOwn: (address: string) => boolean = () => false,
): string | undefined {
  if (isIP(text) === 0) return 'no address'
  // `process` turns an IPv4-mapped address into the IPv4 address that the operating system would connect to.
  const address = ipaddr.process(text.includes(':') ? withoutDots(text) : text)
  if (allow.some(([range, length]) => range.kind() === address.kind() && address.match(range, length)))
    return undefined
  const range = address.range()
  if (range !== 'unicast') return range.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  // ipaddr.js calls every address without an entry in its table unicast, the IPv4-compatible ::/96 among them; IANA has
  // given out 2000::/3 only.
  const isGlobal = address instanceof ipaddr.IPv4 || ((address.parts[0] ?? 0) & 0xe000) === 0x2000
  if (!isGlobal) return 'reserved'
  const canonical = address.toString()
  if (canonical === PLATFORM) return 'cloud platform'
  return isOwn(canonical) ? 'this machine itself' : undefined
}

/**
 * An IPv6 address all in hexadecimal, without its zone. DNS look-ups print ::808:808 as ::8.8.8.8, and ipaddr.js takes
 * that for the IPv4-mapped ::ffff:8.8.8.8.
 */
const withoutDots = (text: string) => new URL(`http://[${text.replace(/%.*/, '')}]`).hostname.slice(1, -1)
