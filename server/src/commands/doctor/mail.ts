// Whether callbacks to e-mail addresses could go out. The sender itself tries all but sending one.
import type { createMail } from '../../app.ts'
import type { Config } from '../../config.ts'
import { fail, ok, type Finding } from '../../domain/finding.ts'
import type { Resolver } from '../../engine/resolver.ts'

type MailConfig = Pick<Config, 'smtp_url' | 'smtp_from'>

const TIMEOUT_MS = 10_000

/** Greets the mail server and logs in, or looks at the folder; throws ConfigError for a server without a sender's address. */
export async function checkMail(
  config: MailConfig,
  { create, resolver }: { create: typeof createMail; resolver: Resolver },
): Promise<Finding> {
  const sender = create(config, resolver)
  if (sender === null)
    return ok('no RINGBACK_SMTP_URL is given, so callbacks to e-mail addresses are refused')
  const { kind, error } = await sender.probe(TIMEOUT_MS)
  await sender.close()
  resolver.close()
  const { smtp_url: place } = config
  const where = place?.kind === 'server' ? `${place.host}:${place.port}` : `the folder ${place?.folder}`
  if (kind === 'delivered') return ok(`${where} takes e-mails`)
  return fail(
    `${where} takes none: ${(error ?? kind).replace(/\.$/, '')}`,
    'see to it, or to RINGBACK_SMTP_URL; e-mails wait until then',
  )
}
