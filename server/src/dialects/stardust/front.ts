// The routes of this dialect, on one screen (contract §1, §3, §5.6). The platform's own prefix follows the mount; at the root of
// a project's own host name the addresses are the platform's to the letter.
import type { Front } from '../front.ts'
import { refuse } from './envelope.ts'
import { exportRoute } from './export.ts'
import { importRoutes } from './imports.ts'
import { projectRoutes } from './projects.ts'
import { createSignatureAuth } from './signature.ts'
import { taskRoutes } from './tasks.ts'

/** Makes the front; requests may be signed `window_ms` ago, or ahead. */
export const createFront = ({ window_ms }: { window_ms: number }): Front => ({
  mount: '/stardust',
  refuse,
  register(app, deps) {
    app.addHook('onRequest', createSignatureAuth(deps, { window_ms }))

    const imports = importRoutes(deps)
    app.post('/rosetta-open/task/send', imports.send)
    app.post('/rosetta-open/task/send/status', imports.status)

    const reading = { config: { reads: true } } as const
    const tasks = taskRoutes(deps)
    app.post('/rosetta-open/task/get', reading, tasks.get)
    app.post('/rosetta-open/task/:taskId/callback', tasks.resend)
    app.post('/rosetta-open/project/tasks', reading, tasks.list)
    app.post('/rosetta-open/tasks/export', reading, exportRoute(deps))

    const projects = projectRoutes(deps)
    app.post('/rosetta-open/project/create', projects.create)
    app.get('/rosetta-open/project/get', projects.get)
  },
})
