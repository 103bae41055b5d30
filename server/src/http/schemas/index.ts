// The named schemas of answers and callbacks, as they stand in the OpenAPI document's components.
import { Type, type TSchema } from 'typebox'
import { Act, Audit } from './audit.ts'
import { TaskPoll, TaskRequest, TaskResolve, Token, TokenRevoked } from './call.ts'
import {
  Arrival,
  Attempt,
  CallAttempt,
  CallbackEvent,
  Delivery,
  DeliveryDetail,
  DeliveryState,
  Destination,
  Event,
  EventType,
} from './delivery.ts'
import { nullable, ref } from './fields.ts'
import {
  Credentials,
  Key,
  KeyCreated,
  KeyScope,
  Project,
  ProjectCreated,
  Resealed,
  Secret,
  SecretRotated,
} from './project.ts'
import { Replay, ReplayStarted } from './replay.ts'
import { AuditVerdict, Task, TaskCreated, TaskStatus } from './task.ts'

const page = (item: TSchema) => Type.Object({ data: Type.Array(item), next_cursor: nullable(Type.String()) })

const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'Stable' }),
  },
  { additionalProperties: true },
)

const InboundRefusal = Type.Object({ error: Type.String() })

const ResolvedTask = Type.Object({
  task: Type.Object({
    id: Type.String(),
    status: Type.String(),
    result: nullable(
      Type.Object({
        statusCode: Type.Integer(),
        headers: Type.Object({}),
        body: Type.String(),
        duration: Type.Integer(),
      }),
      { description: 'Null where the body did not complete the task: it reported progress, or a failure' },
    ),
    createdAt: Type.String(),
    completedAt: nullable(Type.String()),
  }),
})

const named = {
  TaskStatus,
  AuditVerdict,
  TaskRequest,
  TaskPoll,
  TaskResolve,
  Task,
  TaskCreated,
  EventType,
  Event,
  CallbackEvent,
  DeliveryState,
  Delivery,
  Attempt,
  CallAttempt,
  DeliveryDetail,
  Arrival,
  Replay,
  ReplayStarted,
  Destination,
  Project,
  Credentials,
  ProjectCreated,
  KeyScope,
  Key,
  KeyCreated,
  Secret,
  SecretRotated,
  Token,
  TokenRevoked,
  Resealed,
  Act,
  Audit,
  Problem,
  ResolvedTask,
  InboundRefusal,
  TaskPage: page(ref('Task')),
  EventPage: page(ref('Event')),
  DeliveryPage: page(ref('Delivery')),
  DestinationPage: page(ref('Destination')),
  ArrivalPage: page(ref('Arrival')),
  CallAttemptPage: page(ref('CallAttempt')),
  ProjectPage: page(ref('Project')),
  KeyPage: page(ref('Key')),
  SecretPage: page(ref('Secret')),
  TokenPage: page(ref('Token')),
  AuditPage: page(ref('Audit')),
} as const satisfies Record<string, TSchema>

export type SchemaName = keyof typeof named

const descriptions: Partial<Record<string, string>> = {
  Task: 'The unit of asynchronous work',
  TaskCreated: 'A task with its one-time inbound URL',
  TaskRequest: 'What is called for a task',
  TaskPoll: 'How a provider is asked whether it is done',
  TaskResolve: 'What the body of an inbound callback means',
  Event: 'Something that happened to a task that its customer is told about',
  CallbackEvent: 'The body of a native callback: an event, and its task as it was then',
  Delivery: 'One event on its way to one destination',
  Attempt: 'One request of a delivery, and what became of it',
  CallAttempt: 'One request that was made for a task, and what became of it',
  DeliveryDetail: 'A delivery with its attempts and the plan of those to come',
  Arrival: 'One request that reached an inbound URL; credentials are not kept of its headers',
  Replay: 'A job that sends again whatever matches',
  ReplayStarted: 'How many deliveries a replay sends again, or would',
  Destination: 'Where deliveries go: an origin or a mail domain, apart for each project and mode',
  Project: 'A tenant: its dialect and settings',
  Credentials: 'The keys and secrets of a project in both modes, shown once',
  Key: 'A key, without itself',
  Secret: 'A signing secret or callback auth key that callbacks carry now',
  Resealed: 'What one step of changing the key that seals has done',
  Audit: 'Who did what; it holds no secret',
  Token: 'A value of the vault, without itself',
  SecretRotated: 'The new secret, and when those before it end at the latest',
  Problem: 'Why a request was refused (RFC 9457); some codes have further members',
  InboundRefusal: 'Why an inbound URL refused a request',
  ResolvedTask: 'What an inbound URL answers, in the words of its project’s dialect',
} satisfies Partial<Record<SchemaName, string>>

/** All of them, with their names as ids. */
export const namedSchemas: object[] = Object.entries(named).map(([name, schema]) => ({
  $id: name,
  ...schema,
  ...(descriptions[name] === undefined ? {} : { description: descriptions[name] }),
}))

/** Refers to a named schema. */
export const schemaRef = (name: SchemaName): { $ref: string } => ({ $ref: `${name}#` })
