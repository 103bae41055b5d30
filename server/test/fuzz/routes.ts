// All routes that there are, asked of the program itself, so that a new one is tried without anybody remembering it. Those
// of the native API come with what the OpenAPI document says of them.
import { subscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createApp } from '../../src/app.ts'
import { openLog } from '../../src/commands/log.ts'
import { readConfig } from '../../src/config.ts'

/** A JSON schema as the document has it; references lead to its components. */
export type Schema = {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly (string | number | boolean | null)[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly additionalProperties?: boolean | Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
}

export type Operation = {
  operationId: string
  security: Record<string, string[]>[]
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

export type Document = {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

export type Route = {
  /** `POST /v1/tasks/:id/start` */
  name: string
  method: string
  /** As the program has it, with `:parameters`. */
  path: string
  /** The first part of a dialect's paths, such as `/scale`; empty for all others. */
  mount: string
  /** What the document says of it; undefined for a route that is not in the document. */
  operation: Operation | undefined
}

const MOUNTS = ['/asyncqueue', '/scale', '/stardust', '/superai']

/** Puts the program together without listening, and collects what it serves. */
export async function collectRoutes(document: Document): Promise<Route[]> {
  const found = new Set<string>()
  const collect = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) found.add(`${one} ${url}`)
    })
  }
  subscribe('fastify.initialization', collect)
  const data = mkdtempSync(join(tmpdir(), 'ringback-routes-'))
  const app = await createApp({
    config: readConfig({ data }, {}).config,
    secret_key: new Uint8Array(32),
    public_url: 'http://127.0.0.1',
    log: openLog('silent'),
  })
  await app.stop()
  rmSync(data, { recursive: true })
  // Each GET has its HEAD, which mutations try.
  const names = [...found].filter((name) => !name.startsWith('HEAD ')).toSorted()
  return names.map((name) => {
    const [method = '', path = ''] = name.split(' ')
    return {
      name,
      method,
      path,
      mount: MOUNTS.find((mount) => path.startsWith(`${mount}/`)) ?? '',
      operation: document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()],
    }
  })
}
