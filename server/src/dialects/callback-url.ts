// Judging a callback URL where it is given, so that its owner hears at once what would fail later.
import { parseTarget } from '../domain/destination.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import type { Destination } from '../store/store.ts'
import { destinationId } from './destination-id.ts'

/** Says whether a URL may be called, and if not why, in one sentence. */
export type CheckUrl = (url: URL) => Promise<{ ok: true } | { ok: false; reason: string }>

/** What judges: the guard of outgoing requests, and whether e-mail can be sent. */
export type Judge = { egress: { checkUrl: CheckUrl }; config: { mail: boolean } }

/**
 * Gives the isolation key of a callback URL that was given in `field`. Throws `invalid_callback_url`, `mail_not_configured`, or
 * `destination_forbidden` with the reason.
 */
export async function judgeCallbackUrl(
  { egress, config }: Judge,
  callback_url: string,
  field = 'callback_url',
): Promise<string> {
  const { kind, key } = parseTarget(callback_url, field)
  if (kind === 'mail') {
    if (config.mail) return key
    throw new AppError(
      'mail_not_configured',
      `${field}: this server sends no e-mail until its operator sets RINGBACK_SMTP_URL; give an http(s) URL`,
    )
  }
  const verdict = await egress.checkUrl(new URL(callback_url))
  if (!verdict.ok) throw new AppError('destination_forbidden', `${field}: ${verdict.reason}`)
  return key
}

/** Judges a callback URL and gives its destination; null has none. */
export async function destinationOf(
  judge: Judge,
  { project_id, mode }: Scope,
  callback_url: string | null,
  field?: string,
): Promise<Destination | null> {
  if (callback_url === null) return null
  const key = await judgeCallbackUrl(judge, callback_url, field)
  return { id: destinationId({ project_id, mode }, key), project_id, mode, kind: 'callback', key }
}
