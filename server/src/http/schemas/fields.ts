// The small schemas that others are built of. Lists of words come from the domain, so that no document can lag behind.
import { Type, type TSchema, type TSchemaOptions } from 'typebox'

/** Refuses unknown fields, so that a typo is not lost. */
export const strict = { additionalProperties: false } as const

/** Refers to a named schema of answers. Validators do not know those, so it is not for bodies and queries. */
export const ref = (name: string) => Type.Unsafe({ $ref: `${name}#` })

/** A value or null. */
export const nullable = <T extends TSchema>(schema: T, options?: TSchemaOptions) =>
  Type.Union([schema, Type.Null()], options)

/** A time in answers and queries. */
export const Time = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, with milliseconds' })

/** Any JSON value, kept and given back digit by digit. */
export const Json = Type.Unknown({ description: 'Any JSON value' })

/** A JSON object with any members. */
export const JsonObject = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

/** Why somebody did this; told in the event. */
export const Reason = Type.Optional(Type.String({ maxLength: 1000 }))

/** How long until a task expires. */
export const ExpiresIn = Type.Integer({ minimum: 1, maximum: 31_536_000, description: 'Seconds' })
