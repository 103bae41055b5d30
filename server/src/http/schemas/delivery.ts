// Events, deliveries, attempts and arrivals: the story of a task.
import { Type } from 'typebox'
import { callSteps } from '../../domain/call.ts'
import { deliveryStates, failureReasons } from '../../domain/delivery.ts'
import { eventTypes } from '../../domain/event.ts'
import { outcomeKinds } from '../../domain/outcome.ts'
import { arrivalVerdicts } from '../../store/store.ts'
import { pageQuery } from '../pages.ts'
import { Json, JsonObject, nullable, ref, strict, Time } from './fields.ts'

export const DeliveryQuery = Type.Object(
  {
    task_id: Type.Optional(Type.String()),
    state: Type.Optional(Type.Enum([...deliveryStates])),
    event: Type.Optional(Type.Enum([...eventTypes])),
    destination: Type.Optional(
      Type.String({ description: 'A destination_id, an origin (https://host), or an e-mail domain' }),
    ),
    created_after: Type.Optional(Time),
    ...pageQuery,
  },
  strict,
)

const Headers = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string' },
})

export const EventType = Type.Enum([...eventTypes])
export const DeliveryState = Type.Enum([...deliveryStates])

const sequence = Type.Integer({ description: 'Counts the events of the task from 1' })
const detail = nullable(JsonObject, {
  description: 'What its maker said: the reason, or the verdict and comments',
})

export const Event = Type.Object({
  id: Type.String(),
  task_id: Type.String(),
  type: ref('EventType'),
  sequence,
  detail,
  created_at: Time,
})

export const CallbackEvent = Type.Object({
  id: Type.String({ description: 'The event; the same in every attempt and re-send, as in `webhook-id`' }),
  type: ref('EventType'),
  timestamp: Time,
  sequence,
  task_id: Type.String(),
  status: ref('TaskStatus'),
  response: Json,
  detail,
  task: ref('Task'),
})

export const Destination = Type.Object({
  id: Type.String(),
  destination: Type.String({ description: 'Its origin with the port, or `mailto:` and the domain' }),
  state: Type.Enum(['active', 'paused']),
  paused_at: nullable(Time),
  pause_reason: nullable(Type.Enum(['operator', 'failing']), {
    description: '`failing` is a day of nothing but failures; a success resumes it',
  }),
  breaker: Type.Enum(['closed', 'open'], { description: 'Open, one delivery at a time is let through' }),
  breaker_opened_at: nullable(Time),
  failing_since: nullable(Time, { description: 'Since when nothing has succeeded' }),
  waiting: Type.Integer({ description: 'Pending deliveries, counted to 10,000' }),
  oldest_waiting_at: nullable(Time, { description: 'When the oldest of those next due was made' }),
  next_due_at: nullable(Time),
  attempts_last_hour: Type.Integer(),
  success_rate: nullable(Type.Number(), { description: 'Of the attempts of the last hour, from 0 to 1' }),
  p95_ms: nullable(Type.Integer(), { description: 'What 95 % of them did not exceed, in milliseconds' }),
  created_at: Time,
})

export const Delivery = Type.Object({
  id: Type.String(),
  task_id: Type.String(),
  event_id: Type.String(),
  event: ref('EventType'),
  sequence,
  destination_id: Type.String(),
  url: Type.String(),
  state: ref('DeliveryState'),
  reason: nullable(Type.Enum([...failureReasons]), { description: 'Why it was given up' }),
  resend: Type.Boolean({ description: 'Its event was sent before' }),
  attempt_count: Type.Integer(),
  created_at: Time,
  settled_at: nullable(Time),
  next_attempt_at: nullable(Time),
  give_up_at: nullable(Time),
})

export const Attempt = Type.Object({
  number: Type.Integer(),
  started_at: Time,
  duration_ms: Type.Integer(),
  outcome: Type.Enum([...outcomeKinds], {
    description:
      '`delivered` is a 2xx, `status` any other; a mail server may have `refused` a mail for good or `deferred` it; with the rest no status line came',
  }),
  status: nullable(Type.Integer({ description: 'Of the answer, or of a mail server’s last reply' })),
  response_headers: nullable(Headers),
  response_body: nullable(Type.String()),
  truncated: Type.Boolean({ description: 'The answer was longer, or slower, than what was read of it' }),
  remote_address: nullable(Type.String()),
  error: nullable(Type.String()),
})

export const CallAttempt = Type.Intersect([
  Type.Object({
    step: Type.Enum([...callSteps], {
      description: 'The request itself, a poll, or reading the result that a poll led to',
    }),
  }),
  ref('Attempt'),
])

export const DeliveryDetail = Type.Intersect([
  ref('Delivery'),
  Type.Object({
    attempts: Type.Array(ref('Attempt')),
    plan: Type.Array(Time, { description: 'When the attempts to come will be made' }),
  }),
])

export const Arrival = Type.Object({
  id: Type.String(),
  task_id: Type.String(),
  received_at: Time,
  remote_address: nullable(Type.String()),
  headers: Headers,
  body: nullable(Type.String(), { description: 'Null when it was over the limit' }),
  verdict: Type.Enum([...arrivalVerdicts]),
})
