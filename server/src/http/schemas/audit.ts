// The audit log.
import { Type } from 'typebox'
import { actors, acts } from '../../domain/audit.ts'
import { modes } from '../../domain/project.ts'
import { pageQuery } from '../pages.ts'
import { JsonObject, nullable, ref, strict, Time } from './fields.ts'

const text = nullable(Type.String())

export const Act = Type.Enum([...acts])

export const Audit = Type.Object({
  id: Type.String(),
  created_at: Time,
  act: ref('Act'),
  actor: Type.Enum([...actors], {
    description:
      'A holder of the admin key or of a project’s key, `ringback dev` by itself, or a command with the database open',
  }),
  key_id: nullable(Type.String(), { description: 'The key, if it was that of a project' }),
  address: nullable(Type.String(), { description: 'Where the request came from' }),
  project_id: text,
  mode: nullable(Type.Enum([...modes])),
  object: nullable(Type.String(), { description: 'The id of what it was done to' }),
  detail: JsonObject,
})

export const AuditQuery = Type.Object(
  {
    project: Type.Optional(Type.String({ description: 'Only acts on this project' })),
    act: Type.Optional(Act),
    since: Type.Optional(Type.String({ format: 'date-time', description: 'At this time or later' })),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'Before this time' })),
    ...pageQuery,
  },
  strict,
)
