// Which addresses callbacks may go to, and how providers come in. All of it is judged by the guard itself, so that the
// doctor cannot be of another opinion.
import { isIP } from 'node:net'
import type { Guard } from '../../app.ts'
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'
import type { Purpose } from './settings.ts'

/** Addresses that should not be opened by accident, and what is there. */
const delicate: readonly [url: string, what: string][] = [
  ['http://127.0.0.1/', 'this machine itself'],
  ['http://169.254.169.254/', 'the metadata of a cloud machine, with its credentials'],
]

/** Says what is open besides public addresses. */
export async function checkEgress(
  { egress }: Guard,
  { purpose, allow }: { purpose: Purpose; allow: readonly string[] },
): Promise<Finding> {
  const own = purpose === 'dev' ? 'public addresses, and as `dev` this machine' : 'public addresses'
  if (allow.length === 0) return ok(`callbacks may go to ${own} only`)
  const open: string[] = []
  for (const [url, what] of delicate) if ((await egress.checkUrl(new URL(url))).ok) open.push(what)
  const among = open.length === 0 ? '' : `, which lets customers reach ${open.join(' and ')}`
  return warn(
    `RINGBACK_EGRESS_ALLOW opens ${allow.join(', ')}${among}`,
    'keep it only as wide as your own receivers need',
  )
}

/** Looks at the URL under which providers come in; null is none. */
export function checkPublicUrl(public_url: string | null): Finding {
  if (public_url === null) return ok('none is given; `dev` takes its own address')
  return public_url.startsWith('https:')
    ? ok(`${public_url} is encrypted`)
    : warn(
        `${public_url} is plain http, so the one-time URLs can be read on the way`,
        'put TLS in front, and an https URL into RINGBACK_PUBLIC_URL',
      )
}

/** Judges a callback URL as it would be when a task is created and when its callback is sent. */
export async function judgeCallbackUrl({ egress, resolver }: Guard, url: URL): Promise<Finding> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const resolution = isIP(hostname) === 0 ? await resolver.resolve(hostname) : { addresses: [hostname] }
  const verdict = await egress.checkUrl(url)
  resolver.close()
  if ('failure' in resolution) {
    return fail(
      resolution.failure.replace(/\.$/, ''),
      'a task is taken all the same, and its callback waits until the name resolves',
    )
  }
  const [first = '', ...others] = resolution.addresses
  const where = others.length === 0 ? first : `${first}, else ${others.join(', ')}`
  if (verdict.ok) return ok(`${url.origin} is allowed: it would be connected to at ${where}`)
  return fail(
    `${verdict.reason.replace(/\.$/, '')}: ${where}`,
    'if it is a receiver of your own, open its range in RINGBACK_EGRESS_ALLOW',
  )
}
