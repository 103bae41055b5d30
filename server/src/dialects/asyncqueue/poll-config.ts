// `pollConfig` and `provider` (contract §5): the one says how a provider is polled, the other names a template of it, whose fields
// those of the one override.
import type { PollPlan } from '../../domain/call.ts'
import type { Printable } from '../../domain/json.ts'
import { templateFault } from '../../domain/template.ts'
import { pollPlanOf, providerOf, providers, type Provider } from '../../providers/index.ts'
import { fieldsOf, invalid, type Fields } from './fields.ts'

const LONGEST_TEMPLATE = 2048
const LONGEST_PATH = 255

/** The provider of a request, if it names one; throws for one that we do not know. */
export function providerField(fields: Fields, field: string): Provider | undefined {
  const id = fields.text(field, { longest: LONGEST_PATH })
  if (id === undefined) return undefined
  const provider = providerOf(id)
  if (provider !== undefined) return provider
  throw invalid(fields.nameOf(field), `must be one of ${providers.map(({ id }) => id).join(', ')}`)
}

/** How the task of a request is polled; null when it is not. */
export function readPoll(fields: Fields, provider: Provider | undefined): PollPlan | null {
  const template = provider === undefined ? undefined : pollPlanOf(provider.poll)
  const given = fields.object('pollConfig')
  if (given === undefined) return template ?? null
  const config = fieldsOf(given, fields.nameOf('pollConfig'))
  const path = (field: string) => config.text(field, { longest: LONGEST_PATH })
  const interval = config.number('interval', { low: 1, high: 300 })
  const maxDuration = config.number('maxDuration', { low: 1, high: 86_400 })
  return {
    url_template:
      templateOf(config, 'urlTemplate') ?? template?.url_template ?? missing(config, 'urlTemplate'),
    status_path: path('statusPath') ?? template?.status_path ?? missing(config, 'statusPath'),
    done_values:
      config.texts('doneValues', { fewest: 1 }) ?? template?.done_values ?? missing(config, 'doneValues'),
    fail_values:
      config.texts('failValues', { fewest: 0 }) ?? template?.fail_values ?? missing(config, 'failValues'),
    interval_ms: inMs(interval) ?? template?.interval_ms ?? 5000,
    max_duration_ms: inMs(maxDuration) ?? template?.max_duration_ms ?? 600_000,
    result_path: path('resultPath') ?? template?.result_path ?? '',
    result_url_template: templateOf(config, 'resultUrlTemplate') ?? template?.result_url_template ?? null,
    error_path: path('errorPath') ?? template?.error_path ?? null,
    forward_auth: config.flag('forwardAuth') ?? template?.forward_auth ?? true,
  }
}

const inMs = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(seconds * 1000))

const missing = (config: Fields, field: string): never => {
  throw invalid(config.nameOf(field), 'is required')
}

function templateOf(config: Fields, field: string): string | undefined {
  const template = config.text(field, { longest: LONGEST_TEMPLATE })
  const fault = template === undefined ? undefined : templateFault(template)
  if (fault !== undefined) throw invalid(config.nameOf(field), fault)
  return template
}

/** A plan of polling as `pollConfig`; what it has not is left out. */
export const presentPoll = (poll: PollPlan): Printable => ({
  urlTemplate: poll.url_template,
  statusPath: poll.status_path,
  doneValues: poll.done_values,
  failValues: poll.fail_values,
  interval: poll.interval_ms / 1000,
  maxDuration: poll.max_duration_ms / 1000,
  resultPath: poll.result_path,
  resultUrlTemplate: poll.result_url_template ?? undefined,
  errorPath: poll.error_path ?? undefined,
  forwardAuth: poll.forward_auth,
})

/** The templates, as `GET /v1/providers` has them. */
export const presentProviders = (): Printable => ({
  providers: providers.map(({ id, name, description, poll }) => ({
    id,
    name,
    description,
    pollConfig: presentPoll(pollPlanOf(poll)),
  })),
})
