// The OpenAPI 3.1 document, made from the schemas that validate, and the page that shows it.
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import type { ApiConfig } from './deps.ts'
import { namedSchemas } from './schemas/index.ts'

const webhooks = {
  callback: {
    post: {
      operationId: 'callback',
      summary: 'A native callback, signed as Standard Webhooks has it',
      requestBody: {
        content: { 'application/json': { schema: { $ref: '#/components/schemas/CallbackEvent' } } },
      },
      responses: { '2XX': { description: 'The event is received; anything else is tried again' } },
    },
  },
}

// Its scripts are files of ours, and it sets styles as it goes; nobody puts it in a frame.
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
}

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>
type Operation = { requestBody?: { required: boolean; content: Record<string, { schema: Body }> } }
type Body = { properties?: object; required?: string[] }

// The plugin calls every body required. One without a required field may be absent, and one without any field is none.
const withTrueBodies: Transform = (document) => {
  if (!('openapiObject' in document)) return document.swaggerObject
  const paths = Object.values(
    (document.openapiObject.paths ?? {}) as Record<string, Record<string, Operation>>,
  )
  for (const operation of paths.flatMap((methods) => Object.values(methods))) {
    const body = operation.requestBody?.content['application/json']?.schema
    if (operation.requestBody === undefined || body?.properties === undefined) continue
    operation.requestBody.required = body.required !== undefined
    if (Object.keys(body.properties).length === 0) delete operation.requestBody
  }
  return document.openapiObject
}

/** Collects the routes that are registered after this. */
export async function registerDocument(
  app: FastifyInstance,
  { version, public_url }: ApiConfig,
): Promise<void> {
  for (const schema of namedSchemas) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Ringback', version, description: 'Callbacks for asynchronous tasks' },
      servers: [{ url: public_url }],
      components: {
        securitySchemes: {
          key: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of a project; each operation names the scope that it needs',
          },
          admin_key: { type: 'http', scheme: 'bearer', description: 'RINGBACK_ADMIN_KEY' },
        },
      },
      security: [{ key: [] }],
      webhooks,
    },
    transformObject: withTrueBodies,
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) =>
        typeof json.$id === 'string' ? json.$id : `schema-${i}`,
    },
  })
}

/** Serves the document at /openapi.json and its page at /docs. */
export async function serveDocument(app: FastifyInstance): Promise<void> {
  let text: string | undefined
  app.get('/openapi.json', { schema: { hide: true } }, async (_, reply) => {
    text ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').send(text)
  })
  await app.register(async (scope) => {
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.headers(pageHeaders)
      done()
    })
    await scope.register(swaggerUi, { routePrefix: '/docs' })
  })
}
