// Which methods a path has: the answer to a wrong one is 405 with `allow`, while the router only knows "not found".
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Collects routes as they are registered; returns the methods of a path, none for an unknown one. */
export function collectMethods(app: FastifyInstance): (url: string) => string[] {
  const routes: { pattern: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    const source = url
      .replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
      .replace(/:\w+/g, '[^/]+')
      .replace('*', '.*')
    routes.push({ pattern: new RegExp(`^${source}$`), methods: [method].flat() })
  })
  return (url) => {
    const path = url.split('?', 1)[0] ?? url
    return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))]
  }
}
