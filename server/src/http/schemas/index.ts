// The named schemas of answers and callbacks, as they stand in the OpenAPI document's components.
import { Type, type TSchema } from 'typebox'
import { Arrival, Attempt, CallbackEvent, Delivery, DeliveryDetail, Event, EventType } from './delivery.ts'
import { nullable, ref } from './fields.ts'
import { Credentials, Key, KeyCreated, Project, ProjectCreated } from './project.ts'
import { Task, TaskCreated, TaskStatus } from './task.ts'

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

const ResolvedTask = Type.Object({
  task: Type.Object({
    id: Type.String(),
    status: Type.String(),
    result: Type.Object({
      statusCode: Type.Integer(),
      headers: Type.Object({}),
      body: Type.String(),
      duration: Type.Integer(),
    }),
    createdAt: Type.String(),
    completedAt: nullable(Type.String()),
  }),
})

const named = {
  TaskStatus,
  Task,
  TaskCreated,
  EventType,
  Event,
  CallbackEvent,
  Delivery,
  Attempt,
  DeliveryDetail,
  Arrival,
  Project,
  Credentials,
  ProjectCreated,
  Key,
  KeyCreated,
  Problem,
  ResolvedTask,
  TaskPage: page(ref('Task')),
  EventPage: page(ref('Event')),
  DeliveryPage: page(ref('Delivery')),
  ArrivalPage: page(ref('Arrival')),
  ProjectPage: page(ref('Project')),
  KeyPage: page(ref('Key')),
} as const satisfies Record<string, TSchema>

export type SchemaName = keyof typeof named

/** All of them, with their names as ids. */
export const namedSchemas: object[] = Object.entries(named).map(([name, schema]) =>
  Object.assign({ $id: name }, schema),
)

/** Refers to a named schema. */
export const schemaRef = (name: SchemaName): { $ref: string } => ({ $ref: `${name}#` })
