// Projects, their settings and keys (native contract §5).
import { Type } from 'typebox'
import { keyRoles, keyScopes } from '../../domain/key.ts'
import { modes, secretKinds } from '../../domain/project.ts'
import { ExpiresIn, nullable, ref, strict, Time } from './fields.ts'

const retry = {
  retries: Type.Integer({ minimum: 0, maximum: 50 }),
  window_s: Type.Integer({ minimum: 1, maximum: 604_800 }),
}
const limits = {
  in_flight: Type.Integer({
    minimum: 1,
    maximum: 1024,
    description: 'Attempts at a time, at each destination',
  }),
  per_second: nullable(Type.Integer({ minimum: 1, maximum: 10_000 }), {
    description: 'Attempts begun in a second, at each destination; null for no limit',
  }),
}
const settings = {
  default_callback_url: nullable(Type.String()),
  timeout_ms: Type.Integer({ minimum: 100, maximum: 120_000, description: 'Until the status line' }),
  expires_in_s: nullable(ExpiresIn),
  order: Type.Enum(['task', 'none'], { description: 'Whether the events of one task wait for each other' }),
  retention_days: Type.Integer({ minimum: 1, maximum: 3650 }),
}

export const UpdateProject = Type.Object(
  {
    default_callback_url: Type.Optional(settings.default_callback_url),
    retry: Type.Optional(
      Type.Object({ retries: Type.Optional(retry.retries), window_s: Type.Optional(retry.window_s) }, strict),
    ),
    timeout_ms: Type.Optional(settings.timeout_ms),
    expires_in_s: Type.Optional(settings.expires_in_s),
    order: Type.Optional(settings.order),
    limits: Type.Optional(
      Type.Object(
        { in_flight: Type.Optional(limits.in_flight), per_second: Type.Optional(limits.per_second) },
        strict,
      ),
    ),
    retention_days: Type.Optional(settings.retention_days),
  },
  { ...strict, title: 'UpdateProject' },
)

export const Project = Type.Object({
  id: Type.String(),
  name: Type.String(),
  dialect: Type.String(),
  host: nullable(Type.String()),
  ...settings,
  retry: Type.Object(retry),
  limits: Type.Object(limits),
  created_at: Time,
  updated_at: Time,
})

const HOST = '^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$'

export const CreateProject = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    dialect: Type.Optional(Type.String({ default: 'native' })),
    default_callback_url: Type.Optional(Type.String()),
    host: Type.Optional(
      Type.String({
        pattern: HOST,
        maxLength: 253,
        description: 'A host name at whose root the dialect is served, in lower case and without port',
      }),
    ),
  },
  { ...strict, title: 'CreateProject' },
)

const text = Type.String()

export const Credentials = Type.Object({
  live_key: text,
  test_key: text,
  operator_key: text,
  test_operator_key: text,
  callback_auth_key: text,
  test_callback_auth_key: text,
  signing_secret: text,
  access_key_id: Type.Optional(Type.String({ description: 'Stardust’s name of `live_key`' })),
  access_key_secret: Type.Optional(Type.String({ description: 'Stardust’s name of `signing_secret`' })),
  signing_public_key: Type.Optional(
    Type.String({ description: 'With which super.AI’s callbacks are verified' }),
  ),
  webhook_secret: Type.Optional(Type.String({ description: 'AsyncQueue’s name of `signing_secret`' })),
})
export const ProjectCreated = Type.Object({ project: ref('Project'), credentials: ref('Credentials') })

const Role = Type.Enum([...keyRoles])
const KEY_S_MAX = 10 * 365 * 86_400

export const KeyScope = Type.Enum([...keyScopes])

export const CreateKey = Type.Object(
  {
    mode: Type.Optional(Type.Enum([...modes])),
    role: Type.Optional(Role),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'What it is for' })),
    scopes: Type.Optional(
      Type.Array(KeyScope, {
        // Not uniqueItems: the validator compares each with each before it counts them.
        maxItems: keyScopes.length,
        description: 'What it may do; all that its role may unless given',
      }),
    ),
    expires_at: Type.Optional(
      Type.String({ format: 'date-time', description: 'From then on it opens nothing' }),
    ),
    expires_in_s: Type.Optional(
      Type.Integer({ minimum: 1, maximum: KEY_S_MAX, description: 'The same, in seconds from now' }),
    ),
  },
  { ...strict, title: 'CreateKey' },
)

export const Key = Type.Object({
  id: text,
  mode: Type.Enum([...modes]),
  role: Role,
  name: nullable(text),
  scopes: Type.Array(ref('KeyScope'), { description: 'What it may do on this API' }),
  hint: Type.String({ description: 'How it begins' }),
  created_at: Time,
  expires_at: nullable(Time),
  last_used_at: nullable(Time, { description: 'Up to a minute late; null: never yet' }),
})
export const KeyCreated = Type.Intersect([
  ref('Key'),
  Type.Object({ key: Type.String({ description: 'Shown once' }) }),
])

const GRACE_S_MAX = 30 * 86_400

/** The grace of a rotation whose caller names none, in seconds. */
export const DEFAULT_GRACE_S = 86_400

export const RotateSecret = Type.Object(
  {
    which: Type.Enum([...secretKinds]),
    grace_s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: GRACE_S_MAX,
        default: DEFAULT_GRACE_S,
        description: 'Seconds for which the old one holds on; 0 ends it, and every older one, at once',
      }),
    ),
  },
  { ...strict, title: 'RotateSecret' },
)

export const Secret = Type.Object({
  id: text,
  kind: Type.Enum([...secretKinds]),
  mode: nullable(Type.Enum([...modes]), { description: 'Null is both' }),
  value: text,
  created_at: Time,
  expires_at: nullable(Time, { description: 'The end of its grace; null is the current one' }),
})
export const SecretRotated = Type.Intersect([ref('Secret'), Type.Object({ older_expire_at: Time })])

export const Resealed = Type.Object({
  key_id: Type.String({ description: 'Tells the key that seals now from others' }),
  resealed: Type.Integer(),
  remaining: Type.Integer({ description: 'Exact below 10000' }),
})
