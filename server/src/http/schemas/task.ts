// Tasks and their verbs (native contract §2).
import { Type } from 'typebox'
import { modes } from '../../domain/project.ts'
import { auditVerdicts, taskStatuses } from '../../domain/task.ts'
import { pageQuery } from '../pages.ts'
import { NewPoll, NewRequest, NewResolve } from './call.ts'
import { ExpiresIn, Json, JsonObject, nullable, Reason, ref, strict, Time } from './fields.ts'

export const CreateTask = Type.Object(
  {
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 100, default: 'task' })),
    params: Type.Optional(Json),
    metadata: Type.Optional(JsonObject),
    unique_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    callback_url: Type.Optional(
      Type.String({ description: 'http(s) URL or e-mail address; the default is the project’s' }),
    ),
    expires_in_s: Type.Optional(ExpiresIn),
    request: Type.Optional(NewRequest),
    poll: Type.Optional(NewPoll),
    resolve: Type.Optional(NewResolve),
    not_before: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'The request is not made before; a year ahead at most',
      }),
    ),
  },
  { ...strict, title: 'CreateTask' },
)

const failure = {
  message: Type.String({ minLength: 1, maxLength: 10_000 }),
  code: Type.Optional(Type.String({ maxLength: 255 })),
  details: Type.Optional(Json),
}

/** The bodies of the verbs that have one. */
export const AwaitTask = Type.Object(
  { expires_in_s: Type.Optional(ExpiresIn) },
  { ...strict, title: 'AwaitTask' },
)
export const CompleteTask = Type.Object({ response: Json }, { ...strict, title: 'CompleteTask' })
export const FailTask = Type.Object(
  { error: Type.Object(failure, strict), during: Type.Optional(Type.Enum(['setup'])) },
  { ...strict, title: 'FailTask' },
)
export const CancelTask = Type.Object({ reason: Reason }, { ...strict, title: 'CancelTask' })
export const SuspendTask = Type.Object({ reason: Reason }, { ...strict, title: 'SuspendTask' })
export const RecallTask = Type.Object({ reason: Reason }, { ...strict, title: 'RecallTask' })
export const EditTask = Type.Object({ response: Json }, { ...strict, title: 'EditTask' })
export const AuditTask = Type.Object(
  {
    verdict: Type.Enum([...auditVerdicts]),
    comments: Type.Optional(Type.String({ maxLength: 10_000 })),
    response: Type.Optional(Json),
  },
  { ...strict, title: 'AuditTask' },
)
export const NoBody = Type.Object({}, { ...strict, title: 'NoBody' })

export const GetTaskQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 60, description: 'Seconds to wait until it is settled' }),
    ),
  },
  strict,
)

export const TaskQuery = Type.Object(
  {
    status: Type.Optional(Type.Enum([...taskStatuses])),
    type: Type.Optional(Type.String()),
    audit_status: Type.Optional(Type.Enum([...auditVerdicts])),
    callback_succeeded: Type.Optional(Type.Boolean()),
    unique_id: Type.Optional(Type.String()),
    created_after: Type.Optional(Time),
    created_before: Type.Optional(Time),
    ...pageQuery,
  },
  strict,
)

export const PageQuery = Type.Object(pageQuery, strict)

export const TaskStatus = Type.Enum([...taskStatuses])
export const AuditVerdict = Type.Enum([...auditVerdicts])

export const Task = Type.Object({
  id: Type.String(),
  external_id: nullable(Type.String(), { description: "The id in the form of the project's dialect" }),
  type: Type.String(),
  status: ref('TaskStatus'),
  audit_status: nullable(ref('AuditVerdict')),
  mode: Type.Enum([...modes]),
  params: Json,
  response: Json,
  error: nullable(Type.Object(failure)),
  metadata: JsonObject,
  unique_id: nullable(Type.String()),
  callback_url: nullable(Type.String()),
  callback_succeeded: nullable(Type.Boolean(), {
    description: 'Whether the latest event reached its receiver; null until that is decided',
  }),
  callback_succeeded_at: nullable(Time),
  created_at: Time,
  updated_at: Time,
  completed_at: nullable(Time),
  expires_at: nullable(Time),
  request: nullable(ref('TaskRequest'), {
    description: 'What is called for it; null where nothing is. Its headers and body are not shown',
  }),
  not_before: nullable(Time),
  poll: nullable(ref('TaskPoll')),
  resolve: nullable(ref('TaskResolve')),
  version: Type.Integer(),
})

export const TaskCreated = Type.Intersect([
  ref('Task'),
  Type.Object({
    callback_id: Type.String({ description: '64 hex characters, shown once' }),
    resolve_url: Type.String({ description: 'One POST of any JSON to it completes the task' }),
  }),
])
