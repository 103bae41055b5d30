// What is called for a task: the request, the poll, and what a callback's body means. Bounds are those of the wire; what depends on
// several fields is looked at in http/call-plan.ts.
import { Type } from 'typebox'
import { callMethods } from '../../domain/call.ts'
import { providers } from '../../providers/index.ts'
import { nullable, ref, strict, Time } from './fields.ts'

const backoffs = ['exponential', 'linear'] as const

const Path = (description: string) => Type.String({ maxLength: 200, description })
const Word = Type.String({ minLength: 1, maxLength: 200 })
const Words = (description: string) => Type.Array(Word, { maxItems: 50, description })
const Seconds = (maximum: number, description: string) =>
  Type.Integer({ minimum: 1, maximum, description: `Seconds; ${description}` })

const error_path = Path('Where the answer says what went wrong')

/** `headers` are looked at in dialects/call-headers.ts. */
export const NewRequest = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description:
        'http(s) URL. `{resolve_url}` in it, in a header’s value or in the body becomes the task’s inbound URL, and the task waits for that',
    }),
    method: Type.Optional(Type.Enum([...callMethods], { default: 'POST' })),
    // A record has its own word for members that are no text; `additionalProperties` would call them unknown.
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'A value `tok_…` stands for a token of the vault',
      }),
    ),
    body: Type.Optional(
      Type.Unknown({
        description: 'Any JSON, sent as its text; a string is sent as it stands, null is no body',
      }),
    ),
    timeout_s: Type.Optional(Seconds(300, 'of an attempt, redirects included; 30 by default')),
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 10, default: 3 })),
    backoff: Type.Optional(Type.Enum([...backoffs], { default: 'exponential' })),
  },
  strict,
)

export const NewPoll = Type.Object(
  {
    provider: Type.Optional(
      Type.Enum(
        providers.map(({ id }) => id),
        { description: 'A template; the other fields override it' },
      ),
    ),
    url_template: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2048, description: 'With `{startResult.body.<path>}`' }),
    ),
    status_path: Type.Optional(Path('Dotted path to the status in an answer')),
    done_values: Type.Optional(Words('Statuses that end it well')),
    fail_values: Type.Optional(Words('Statuses that end it badly')),
    interval_s: Type.Optional(Seconds(300, 'between two polls; 5 by default')),
    max_duration_s: Type.Optional(Seconds(86_400, 'after which the task expires; 600 by default')),
    result_path: Type.Optional(Path('Dotted path to the response; all of the answer without one')),
    result_url_template: Type.Optional(
      nullable(Type.String({ minLength: 1, maxLength: 2048 }), {
        description: 'Where the response is read in the end, if not from the last answer',
      }),
    ),
    error_path: Type.Optional(nullable(error_path)),
    forward_auth: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'Whether polls of the request’s own host carry its headers',
      }),
    ),
  },
  strict,
)

export const NewResolve = Type.Object(
  {
    provider: Type.Optional(
      Type.Enum(
        providers.flatMap(({ id, resolve }) => (resolve === null ? [] : [id])),
        { description: 'A template; the other fields override it' },
      ),
    ),
    status_path: Type.Optional(Path('Dotted path to the status in a callback’s body')),
    done_values: Type.Optional(Words('Statuses that complete the task')),
    fail_values: Type.Optional(Words('Statuses that fail it')),
    ignore_values: Type.Optional(Words('Statuses that leave it as it is')),
    error_path: Type.Optional(nullable(error_path)),
  },
  strict,
)

/** What the view of a task shows; headers and body may hold keys, and views are frozen into callbacks. */
export const TaskRequest = Type.Object({
  url: Type.String(),
  method: Type.Enum([...callMethods]),
  timeout_s: Type.Number(),
  retries: Type.Integer(),
  backoff: Type.Enum([...backoffs]),
})
export const TaskPoll = Type.Object({ interval_s: Type.Number(), max_duration_s: Type.Number() })
export const TaskResolve = Type.Object({
  status_path: Type.String(),
  done_values: Type.Array(Type.String()),
  fail_values: Type.Array(Type.String()),
  ignore_values: Type.Array(Type.String()),
  error_path: nullable(Type.String()),
})

export const CreateToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    value: Type.String({
      minLength: 1,
      maxLength: 16_384,
      description: 'The whole value of a header, such as `Bearer …`; never shown again',
    }),
  },
  { ...strict, title: 'CreateToken' },
)

export const Token = Type.Object({ id: Type.String(), name: Type.String(), created_at: Time })
export const TokenRevoked = Type.Intersect([ref('Token'), Type.Object({ revoked_at: Time })])
