// `ringback doctor`: looks at everything around a server and says what to do. It changes nothing and stops nothing, so it
// may run beside a server; a check that throws is a line among the others.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { clientSettings, flagOf, surveyConfig } from '../config.ts'
import type { Check } from '../domain/finding.ts'
import {
  defineCommand,
  FailedError,
  jsonOption,
  settingFlags,
  settingOption,
  UsageError,
  type Flags,
} from './command.ts'
import { LOOPBACK } from './dev/address.ts'
import { devMail } from './dev/state.ts'
import { checkClock } from './doctor/clock.ts'
import { checkDns } from './doctor/dns.ts'
import { checkEgress, checkPublicUrl, judgeCallbackUrl } from './doctor/egress.ts'
import { examine, lineOf, sumUp } from './doctor/examine.ts'
import { checkMail } from './doctor/mail.ts'
import { checkServer, serverAt } from './doctor/server.ts'
import { checkServeSettings, checkSettings, type Purpose } from './doctor/settings.ts'
import { screenOf } from './screen.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Checks settings, database, clock, DNS, disk, egress and server, and says what to do.',
  options: {
    'callback-url': {
      type: 'string',
      form: 'URL',
      doc: 'Judge this one as the server would, and say to which address it would connect.',
    },
    json: jsonOption,
    [flagOf('url')]: settingOption(clientSettings.url),
  },
  async run(flags) {
    const checks = await checksFor(flags, process.env)
    const screen = screenOf(process.stdout, process.env)
    const asJson = flags['json'] === true
    const line = lineOf(checks, screen)
    const examined = await examine(checks, (finding) => {
      if (!asJson) console.log(line(finding))
    })
    if (asJson) console.log(JSON.stringify(examined, null, 2))
    const failed = examined.filter(({ level }) => level === 'fail')
    if (failed.length > 0) throw new FailedError(`${failed.length} of ${checks.length} checks failed`)
    if (!asJson) console.log(sumUp(examined))
  },
})

/** All checks, in the order in which one would look. Throws UsageError for a callback URL that is none. */
async function checksFor(flags: Flags, env: Readonly<Record<string, string | undefined>>): Promise<Check[]> {
  const callback_url = callbackUrlOf(flags)
  const survey = surveyConfig(settingFlags(flags), env)
  const { value } = survey
  const data = value('data')
  const purpose = purposeOf(data, survey.origins)
  const { createGuard, createMail, databaseChecks } = await import('../app.ts')
  const guard = () =>
    createGuard({
      egress_allow: [...(purpose === 'dev' ? LOOPBACK : []), ...value('egress_allow')],
      egress_ports: value('egress_ports'),
      egress_proxy: value('egress_proxy'),
    })
  const checks: Check[] = [
    { name: 'settings', run: () => checkSettings(survey) },
    { name: 'serve settings', run: () => checkServeSettings(survey, purpose) },
    ...databaseChecks({ data, database_url: value('database_url') }),
    { name: 'clock', run: () => checkClock() },
    { name: 'dns', run: () => checkDns(guard(), { purpose, public_url: value('public_url') }) },
    { name: 'egress', run: () => checkEgress(guard(), { purpose, allow: value('egress_allow') }) },
    {
      name: 'mail',
      run: () =>
        checkMail(
          {
            smtp_url: value('smtp_url') ?? (purpose === 'dev' ? devMail(data) : null),
            smtp_from: value('smtp_from'),
          },
          { create: createMail, resolver: guard().resolver },
        ),
    },
    { name: 'public url', run: () => checkPublicUrl(value('public_url')) },
    { name: 'server', run: () => checkServer(serverAt(survey)) },
  ]
  return callback_url === undefined
    ? checks
    : [...checks, { name: 'callback url', run: () => judgeCallbackUrl(guard(), callback_url) }]
}

/** What the machine is for. The folder of `dev` is of no use to `serve`: it is sealed with a key of its own. */
function purposeOf(data: string, origins: ReturnType<typeof surveyConfig>['origins']): Purpose {
  if (existsSync(join(data, 'dev.json'))) return 'dev'
  return origins.secret_key === 'default' && origins.public_url === 'default' ? 'dev' : 'serve'
}

function callbackUrlOf(flags: Flags): URL | undefined {
  const given = flags['callback-url']
  if (typeof given !== 'string') return undefined
  const url = URL.parse(given)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError('--callback-url is not valid: use an absolute http(s) URL')
  return url
}
