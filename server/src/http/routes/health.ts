// What load balancers and Prometheus ask. `/healthz` says that the process lives, `/readyz` that it should get requests.
import type { FastifyReply, RouteShorthandOptionsWithHandler } from 'fastify'
import type { Deps } from '../deps.ts'
import { json } from '../route.ts'

type Plain = RouteShorthandOptionsWithHandler

// Not part of the API, so not part of its document.
const schema = { hide: true }

const answer = (reply: FastifyReply, status: number, word: string) =>
  json(reply, status, `{"status":"${word}"}`)

/** Makes the routes without a key. */
export function healthRoutes({ store, registry, isStopping, log }: Deps) {
  return {
    healthz: { schema, handler: async (_, reply) => answer(reply, 200, 'ok') },
    readyz: {
      schema,
      async handler(_, reply) {
        if (isStopping()) return answer(reply, 503, 'stopping')
        try {
          await store.ping()
        } catch (error) {
          log.warn({ err: error }, 'readyz.failed')
          return answer(reply, 503, 'store_unavailable')
        }
        return answer(reply, 200, 'ready')
      },
    },
    metrics: {
      schema,
      async handler(_, reply) {
        reply.type(registry.contentType)
        return registry.metrics()
      },
    },
  } satisfies Record<string, Plain>
}
