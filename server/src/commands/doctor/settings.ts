// Whether the settings hold, and whether `serve` would start with them.
import { settingNames, settings, type surveyConfig } from '../../config.ts'
import { fail, ok, type Finding } from '../../domain/finding.ts'

/** What a machine is for: trying Ringback out, which needs no settings, or production. */
export type Purpose = 'dev' | 'serve'

type Survey = ReturnType<typeof surveyConfig>

/** Names every setting that is unknown or not valid. */
export function checkSettings({ faults, origins }: Survey): Finding {
  if (faults.length > 0) return fail(faults.map(({ message }) => message).join('; '), null)
  const given = Object.values(origins).filter((origin) => origin !== 'default').length
  return ok(given === 0 ? 'none is given, so the defaults hold' : `${given} given, and all of them valid`)
}

/** Names what `serve` would miss. */
export function checkServeSettings({ origins }: Pick<Survey, 'origins'>, purpose: Purpose): Finding {
  const missing = settingNames.flatMap((name) => {
    const { env, required } = settings[name]
    return required === undefined || origins[name] !== 'default' ? [] : [{ env, required }]
  })
  if (missing.length === 0) return ok('all that `serve` must have is given')
  const names = missing.map(({ env }) => env).join(', ')
  if (purpose === 'dev') return ok(`\`dev\` needs none; \`serve\` would need ${names}`)
  return fail(
    `${names} ${missing.length === 1 ? 'is' : 'are'} missing`,
    missing.map(({ env, required }) => `set ${env} to ${required}`).join('; '),
  )
}
