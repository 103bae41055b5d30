// The client of the sdk against the API's own document: a method for every route, and no method for anything else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '@ringback/sdk'
import { startApi } from './start-api.ts'

/** Calls every function in `methods`, with `id` wherever an argument may stand in the path. */
async function callAll(methods: object, id: string): Promise<void> {
  for (const method of Object.values(methods)) {
    if (typeof method === 'function') await (method as (...args: unknown[]) => Promise<unknown>)(id, id)
    else await callAll(method as object, id)
  }
}

test('the client has a method for every route of the document, and no other', async (t) => {
  const { call } = await startApi(t)
  const { body } = await call('GET', '/openapi.json', { key: null })
  const documented = Object.entries(body.paths as Record<string, object>)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'X')}`),
    )

  const called: string[] = []
  const client = createClient({
    baseUrl: 'http://ringback.test',
    key: 'rb_test_key',
    async fetch(input, init) {
      const { method, url } = new Request(input, init)
      called.push(`${method} ${new URL(url).pathname}`)
      return Response.json({})
    },
  })
  await callAll(client, 'X')
  assert.deepEqual(called.toSorted(), documented.toSorted())
})
