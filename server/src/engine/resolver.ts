// Names to addresses by DNS queries of our own. Never dns.lookup: it occupies one of the four threads that files and
// cryptography share, so that two hanging names stop every other look-up for seconds. The price: search domains of
// resolv.conf do not apply, a name must be complete.
import { Resolver as DnsResolver } from 'node:dns/promises'
import type { RecordWithTtl } from 'node:dns'
import { createHostsFile, type HostsFile } from './hosts-file.ts'

/**
 * What a name resolves to: at least one address (IPv4 and IPv6 in turn), or why there is none, in one plain sentence;
 * `missing` when the name servers know that there is none.
 */
export type Resolution = { addresses: readonly string[] } | { failure: string; missing: boolean }

/** One look-up of both families, all retries included, takes no longer than this by default. */
export const RESOLVE_TIMEOUT_MS = 5000

export type Resolver = {
  /**
   * Resolves a name; never rejects. A trailing dot and the case of letters do not matter. Do not ask it for a literal. With
   * `patience_ms` it is a failure when no answer comes in that time; nobody waits for a query that is older than that already.
   */
  resolve(name: string, patience_ms?: number): Promise<Resolution>
  /** Gives up the look-ups under way: their callers get a failure, as do all who ask later. */
  close(): void
}

export type ResolverOptions = {
  /** Name servers as `address` or `address:port`; those of the system by default. */
  servers?: readonly string[]
  timeout_ms?: number
  /** Names remembered at a time; the oldest goes first. */
  max_entries?: number
  hosts?: HostsFile
  /** A monotonic clock in milliseconds. */
  now?: () => number
}

const SHORTEST_TTL_MS = 5000
const LONGEST_TTL_MS = 60_000
// Shorter than the first retry's wait, so that a retry asks anew.
const FAILURE_TTL_MS = 2000
// A packet holds some thousands; the cache holds ten thousand names. Who is not here is not connected to, so that none goes
// unjudged.
const MOST_ADDRESSES = 32
// Some name servers never answer for one of the families; once the other is known, this is all the patience it gets.
const SECOND_FAMILY_MS = 250

/** Until the answer is there, `expires_at` is `Infinity`. */
type Entry = { resolution: Promise<Resolution>; asked_at: number; expires_at: number }
type FamilyAnswer = { records: RecordWithTtl[]; missing: boolean; code: string }

/**
 * Makes a resolver. Order: `localhost` names are loopback whatever anyone says (RFC 6761 §6.3), then the hosts file, then
 * DNS. Answers are kept for their TTL, but 5 to 60 s, and up to 32 addresses of each family; failures for 2 s; callers asking
 * for one name share one query.
 */
export function createResolver({
  servers,
  timeout_ms = RESOLVE_TIMEOUT_MS,
  max_entries = 10_000,
  now = () => performance.now(),
  hosts = createHostsFile({ now }),
}: ResolverOptions = {}): Resolver {
  const dns = new DnsResolver({
    timeout: Math.ceil(timeout_ms / 2),
    maxTimeout: Math.ceil(timeout_ms / 2),
    tries: 2,
  })
  if (servers !== undefined) dns.setServers(servers)
  const entries = new Map<string, Entry>()
  let closed = false

  function query(name: string): Promise<FamilyAnswer[]> {
    return new Promise((resolve) => {
      const answers: FamilyAnswer[] = []
      const finish = () => {
        clearTimeout(timer)
        resolve(answers)
      }
      let timer = setTimeout(finish, timeout_ms)
      const take = (answer: FamilyAnswer) => {
        answers.push(answer)
        if (answers.length === 2) return finish()
        if (answer.records.length === 0) return
        clearTimeout(timer)
        timer = setTimeout(finish, SECOND_FAMILY_MS)
      }
      void dns.resolve4(name, { ttl: true }).then(answered, unanswered).then(take)
      void dns.resolve6(name, { ttl: true }).then(answered, unanswered).then(take)
    })
  }

  async function lookUp(name: string, keepFor: (ttl_ms: number) => void): Promise<Resolution> {
    const answers = await query(name)
    const records = answers.flatMap((answer) => answer.records.slice(0, MOST_ADDRESSES))
    if (records.length === 0) {
      keepFor(FAILURE_TTL_MS)
      return explain(name, answers, timeout_ms)
    }
    const ttl_ms = Math.min(...records.map(({ ttl }) => ttl * 1000))
    keepFor(Math.min(Math.max(ttl_ms, SHORTEST_TTL_MS), LONGEST_TTL_MS))
    return { addresses: inTurn(records.map(({ address }) => address)) }
  }

  function cached(name: string): Entry {
    const known = entries.get(name)
    if (known !== undefined && now() < known.expires_at) return known
    entries.delete(name)
    const oldest = entries.size >= max_entries ? entries.keys().next().value : undefined
    if (oldest !== undefined) entries.delete(oldest)
    const keepFor = (ttl_ms: number) => (entry.expires_at = now() + ttl_ms)
    const entry: Entry = { resolution: lookUp(name, keepFor), asked_at: now(), expires_at: Infinity }
    entries.set(name, entry)
    return entry
  }

  function within(patience_ms: number, { resolution, asked_at, expires_at }: Entry, name: string) {
    if (expires_at < Infinity || patience_ms === Infinity) return resolution
    const tooSlow = explain(name, [], patience_ms)
    if (now() - asked_at >= patience_ms) return tooSlow
    return new Promise<Resolution>((resolve) => {
      const timer = setTimeout(() => resolve(tooSlow), patience_ms)
      void resolution.then((found) => {
        clearTimeout(timer)
        resolve(found)
      })
    })
  }

  return {
    async resolve(givenName, patience_ms = Infinity) {
      const name = givenName.toLowerCase().replace(/\.$/, '')
      if (name === 'localhost' || name.endsWith('.localhost')) return { addresses: ['127.0.0.1', '::1'] }
      const addresses = await hosts.find(name)
      if (addresses !== undefined) return { addresses }
      return closed
        ? { failure: `The name ${name} was not looked up: stopped.`, missing: false }
        : within(patience_ms, cached(name), name)
    },
    close() {
      closed = true
      dns.cancel()
    },
  }
}

// An answer without an address is an alias that leads to none, or round in a circle.
const answered = (records: RecordWithTtl[]): FamilyAnswer => ({
  records,
  missing: records.length === 0,
  code: '',
})

function unanswered(error: unknown): FamilyAnswer {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return { records: [], missing: code === 'ENOTFOUND' || code === 'ENODATA', code }
}

function explain(name: string, answers: readonly FamilyAnswer[], timeout_ms: number): Resolution {
  const fault = answers.find(({ missing }) => !missing)
  if (fault !== undefined)
    return { failure: `The name ${name} could not be resolved (${fault.code}).`, missing: false }
  if (answers.length < 2)
    return { failure: `The name ${name} did not resolve within ${timeout_ms} ms.`, missing: false }
  return { failure: `The name ${name} does not exist or has no address.`, missing: true }
}

/** IPv4 and IPv6 in turn, IPv4 first: a host without one of them still meets an address it can reach within three tries. */
function inTurn(addresses: readonly string[]): string[] {
  const v4 = addresses.filter((address) => !address.includes(':'))
  const v6 = addresses.filter((address) => address.includes(':'))
  return Array.from({ length: Math.max(v4.length, v6.length) }, (_, i) => [v4[i], v6[i]])
    .flat()
    .filter((address) => address !== undefined)
}
