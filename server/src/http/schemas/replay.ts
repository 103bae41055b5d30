// Replays: sending again whatever matches (native contract §4).
import { Type } from 'typebox'
import { replayableStates, replayStates } from '../../domain/replay.ts'
import { nullable, ref, strict, Time } from './fields.ts'

const destination = Type.String({
  description: 'A destination_id, an origin (https://host), or an e-mail domain',
})

export const ReplayDeliveries = Type.Object(
  {
    state: Type.Optional(
      Type.Enum([...replayableStates], {
        default: 'failed',
        description: 'Of the latest delivery of an event',
      }),
    ),
    destination: Type.Optional(destination),
    from: Type.Optional(Type.String({ format: 'date-time', description: 'Created at this time or later' })),
    to: Type.Optional(
      Type.String({ format: 'date-time', description: 'Created before this time, and before now' }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: 'Only count what matches' })),
  },
  { ...strict, title: 'ReplayDeliveries' },
)

const count = Type.Integer({ description: 'How many events matched when it was made' })

export const ReplayStarted = Type.Object({
  id: nullable(Type.String(), { description: 'Null for a dry run' }),
  state: Type.Enum([...replayStates, 'dry_run']),
  count,
})

export const Replay = Type.Object({
  id: Type.String(),
  state: Type.Enum([...replayStates]),
  filter: Type.Object({
    state: ref('DeliveryState'),
    destination_id: nullable(Type.String()),
    from: nullable(Time),
    to: Time,
  }),
  count,
  replayed: Type.Integer({ description: 'How many of them got a fresh delivery' }),
  skipped: Type.Integer({
    description:
      'How many did not, since they were sent again otherwise or deleted meanwhile; known at the end',
  }),
  created_at: Time,
  updated_at: Time,
  finished_at: nullable(Time),
})
