// What each route of the native API takes, and as which act it is written down: the one table, on one screen. A route without a
// line here fails at the start. What a key may do is in domain/key.ts; operators' routes of the dialects are not here.
import type { FastifyRequest, RouteOptions } from 'fastify'
import { auditOf } from '../dialects/audit.ts'
import type { Act, Audit, AuditSubject } from '../domain/audit.ts'
import type { KeyScope } from '../domain/key.ts'
import type { Mode } from '../domain/project.ts'

/**
 * `takes` is the scope that a project's key needs, or the administrator's own key; what only reads has no `act`. `mode` is that of
 * the key, where what it changes holds for both modes: who has a test key must not reach what is live.
 */
export type Right = { takes: KeyScope | 'admin key'; act?: Act; mode?: Mode }

declare module 'fastify' {
  interface FastifyContextConfig {
    right?: Right
  }
}

/** By the operation's name. */
export const rights: Readonly<Record<string, Right>> = {
  listTasks: { takes: 'tasks:read' },
  getTask: { takes: 'tasks:read' },
  listTaskEvents: { takes: 'tasks:read' },
  listTaskDeliveries: { takes: 'tasks:read' },
  listTaskArrivals: { takes: 'tasks:read' },
  listTaskAttempts: { takes: 'tasks:read' },

  createTask: { takes: 'tasks:write' },
  startTask: { takes: 'tasks:write' },
  awaitTask: { takes: 'tasks:write' },
  completeTask: { takes: 'tasks:write' },
  failTask: { takes: 'tasks:write' },
  cancelTask: { takes: 'tasks:write' },
  expireTask: { takes: 'tasks:write' },
  suspendTask: { takes: 'tasks:write' },
  resumeTask: { takes: 'tasks:write' },
  editTask: { takes: 'tasks:write' },
  auditTask: { takes: 'tasks:write' },
  recallTask: { takes: 'tasks:write' },
  restartTask: { takes: 'tasks:write' },
  applyArrival: { takes: 'tasks:write', act: 'arrival.apply' },

  listDeliveries: { takes: 'deliveries' },
  getDelivery: { takes: 'deliveries' },
  resendTask: { takes: 'deliveries', act: 'delivery.resend' },
  resendDelivery: { takes: 'deliveries', act: 'delivery.resend' },
  cancelDelivery: { takes: 'deliveries', act: 'delivery.cancel' },
  replayDeliveries: { takes: 'deliveries', act: 'delivery.replay' },
  getReplay: { takes: 'deliveries' },
  listDestinations: { takes: 'deliveries' },
  pauseDestination: { takes: 'deliveries', act: 'destination.pause' },
  resumeDestination: { takes: 'deliveries', act: 'destination.resume' },

  getProject: { takes: 'admin' },
  updateProject: { takes: 'admin', act: 'project.update', mode: 'live' },
  listTokens: { takes: 'admin' },
  createToken: { takes: 'admin', act: 'token.create' },
  revokeToken: { takes: 'admin', act: 'token.revoke' },

  listSecrets: { takes: 'operator', act: 'secrets.read' },
  rotateSecret: { takes: 'operator', act: 'secret.rotate' },

  listProjects: { takes: 'admin key' },
  createProject: { takes: 'admin key', act: 'project.create' },
  listKeys: { takes: 'admin key' },
  createKey: { takes: 'admin key', act: 'key.create' },
  revokeKey: { takes: 'admin key', act: 'key.revoke' },
  resealSecrets: { takes: 'admin key', act: 'secrets.reseal' },
  listAudits: { takes: 'admin key' },
}

/**
 * Gives a route what the table says of it, and tells the document. Throws for a route that has no line in it. A hook `onRoute` of
 * every scope whose routes take a key.
 */
export function declareRight(route: RouteOptions): void {
  const id = route.schema?.operationId ?? ''
  const right = Object.hasOwn(rights, id) ? rights[id] : undefined
  if (right === undefined) {
    throw new Error(
      `${route.method.toString()} ${route.url} (${id}) has no line in the table of http/rights.ts`,
    )
  }
  const needed: Record<string, KeyScope[]> =
    right.takes === 'admin key' ? { admin_key: [] } : { key: [right.takes] }
  route.config = { ...route.config, right }
  route.schema = { ...route.schema, security: [needed] }
}

/** Makes the audit of what a route does. */
export function routeAudit(
  request: FastifyRequest,
  deps: { newId: () => string },
  subject: AuditSubject,
): Audit {
  const act = request.routeOptions.config.right?.act
  if (act === undefined)
    throw new Error(`${request.routeOptions.url} has no act in the table of http/rights.ts`)
  return auditOf(request, deps, act, subject)
}
