// The audit log, for administrators.
import { pageOf, printPage } from '../pages.ts'
import type { Deps } from '../deps.ts'
import { presentAudit } from '../present.ts'
import { json, route } from '../route.ts'
import { AuditQuery } from '../schemas/audit.ts'
import { timeOf } from '../time.ts'

/** Makes the routes under /v1/admin/audits. */
export function auditRoutes({ store }: Deps) {
  return {
    list: route({
      id: 'listAudits',
      summary: 'List who changed what, newest first; acts are kept for 400 days',
      tag: 'Administration',
      query: AuditQuery,
      answers: { 200: 'AuditPage' },
      async handler(request, reply) {
        const { project, act, since, until } = request.query
        const filter = {
          ...(project === undefined ? {} : { project_id: project }),
          ...(act === undefined ? {} : { act }),
          ...(since === undefined ? {} : { since: timeOf('since', since) }),
          ...(until === undefined ? {} : { until: timeOf('until', until) }),
        }
        const page = await store.listAudits(filter, pageOf(request.query))
        return json(reply, 200, printPage(page, presentAudit))
      },
    }),
  }
}
