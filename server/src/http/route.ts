// A route is a value: its schemas and its handler, with the handler's types taken from the schemas. api.ts puts them on
// paths. Handlers answer with finished JSON text, printed by domain/json.ts, never with objects.
import type { FastifyReply, FastifyRequest, RouteShorthandOptionsWithHandler } from 'fastify'
import { Type, type Static, type TSchema } from 'typebox'
import { schemaRef, type SchemaName } from './schemas/index.ts'

type Typed<B extends TSchema, Q extends TSchema> = FastifyRequest<{
  Body: Static<B>
  Querystring: Static<Q>
  Params: { id: string; key_id: string }
}>

export type RouteDefinition<B extends TSchema, Q extends TSchema> = {
  /** The operation's name in the OpenAPI document. */
  id: string
  summary: string
  tag: string
  /** Says in the document that no key is needed; which one other routes take is in rights.ts. */
  keyless?: true
  body?: B
  query?: Q
  /** The schema of the answer by status; null is an answer without a body. */
  answers: Partial<Record<200 | 201 | 202 | 204, SchemaName | null>>
  /** Takes an `idempotency-key`; says so in the document. */
  idempotent?: true
  /** How it refuses, where that is not by a problem. */
  refusal?: SchemaName
  handler: (request: Typed<B, Q>, reply: FastifyReply) => Promise<string | void>
}

// For the document only: idempotency.ts reads the header, and says what is wrong with it.
const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]{1,255}$',
      description:
        'The same key and body give the first answer again, for 24 hours, with `idempotent-replayed: true`',
    }),
  ),
})

export type Route = RouteShorthandOptionsWithHandler

/** Makes a route. */
export function route<B extends TSchema, Q extends TSchema>(definition: RouteDefinition<B, Q>): Route {
  const { id, summary, tag, keyless, body, query, answers, idempotent, refusal, handler } = definition
  const response: Record<string, unknown> = {
    default:
      refusal === undefined
        ? {
            description: 'A problem (RFC 9457)',
            content: { 'application/problem+json': { schema: schemaRef('Problem') } },
          }
        : schemaRef(refusal),
  }
  for (const [status, name] of Object.entries(answers)) {
    response[status] = name === null ? { type: 'null', description: 'No content' } : schemaRef(name)
  }
  return {
    schema: {
      operationId: id,
      summary,
      tags: [tag],
      ...(keyless === true ? { security: [] } : {}),
      ...(body === undefined ? {} : { body }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(idempotent === undefined ? {} : { headers: IdempotencyHeaders }),
      response,
    },
    handler: handler as unknown as Route['handler'],
  }
}

/** Marks an answer as JSON with this status. */
export function json(reply: FastifyReply, status: number, text: string): string {
  reply.code(status).type('application/json; charset=utf-8')
  return text
}
