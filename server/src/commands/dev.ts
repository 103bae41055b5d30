// `ringback dev`: everything on a laptop by one command. Its own inbox is the first receiver, so that a newcomer sees a
// whole round trip; loopback is opened as a destination, and said so.
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { createApp } from '../app.ts'
import { readConfig, type Config } from '../config.ts'
import { createProjectWithCredentials } from '../dialects/credentials.ts'
import type { Attempted } from '../engine/report.ts'
import { defineCommand, settingFlags } from './command.ts'
import { addInbox } from './dev-inbox.ts'
import { devPage } from './dev-page.ts'
import { devSecretKey, readDevState, writeDevState, type DevState } from './dev-state.ts'
import { untilStopped } from './stop.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']

export const dev = defineCommand({
  name: 'dev',
  summary: 'Serves on this machine, with a project and a receiver to try it on.',
  async run(flags) {
    const { config: given } = readConfig(settingFlags(flags), process.env)
    const earlier = readDevState(given.data)
    const state = earlier ?? firstState()
    const config: Config = {
      ...given,
      admin_key: given.admin_key ?? state.admin_key,
      egress_allow: [...LOOPBACK, ...given.egress_allow],
    }
    const base_url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`
    const show = (line: string) => console.log(`${new Date().toISOString().slice(11, 23)}  ${line}`)
    const app = await createApp({
      config,
      secret_key: config.secret_key ?? devSecretKey(config.data),
      public_url: config.public_url ?? base_url,
      log: pino({ level: 'warn', base: null }),
      onAttempt: (attempted) => showFailure(attempted, show),
      extend(server) {
        addInbox(server, { secrets: () => [state.signing_secret], show })
        server.get('/', (_request, reply) => reply.type('text/html').send(devPage()))
      },
    })
    try {
      if (earlier === undefined || (await app.store.findProject(state.project_id)) === undefined) {
        Object.assign(state, await createDefault(app, `${base_url}/dev/inbox`))
      }
      Object.assign(state, { base_url, admin_key: config.admin_key })
      writeDevState(config.data, state)
      await app.start()
    } catch (error) {
      await app.stop()
      throw error
    }
    console.log(welcome(state, config))
    await untilStopped(app, show)
  },
})

const firstState = (): DevState => ({
  base_url: '',
  admin_key: randomBytes(24).toString('hex'),
  project_id: '',
  live_key: '',
  test_key: '',
  callback_auth_key: '',
  signing_secret: '',
})

/** Makes the project `default`. */
async function createDefault(
  { store, newId }: Awaited<ReturnType<typeof createApp>>,
  default_callback_url: string,
): Promise<Partial<DevState>> {
  const sources = { now: Date.now, newId, randomBytes }
  const { project, keys, secrets, credentials } = createProjectWithCredentials(
    { name: 'default', dialect: 'native', default_callback_url },
    sources,
  )
  await store.createProject({ project, keys, secrets })
  const { live_key, test_key, callback_auth_key, signing_secret } = credentials
  return { project_id: project.id, live_key, test_key, callback_auth_key, signing_secret }
}

function showFailure({ delivery, outcome, settlement }: Attempted, show: (line: string) => void): void {
  if (outcome.kind === 'delivered') return
  const what = outcome.status === null ? (outcome.error ?? outcome.kind) : `answered ${outcome.status}`
  const next =
    settlement.due_at === null
      ? `given up (${settlement.reason})`
      : `next attempt at ${new Date(settlement.due_at).toISOString().slice(11, 19)}`
  show(`  ${delivery.event_type} attempt ${settlement.attempt_count}: ${what}; ${next}`)
}

const welcome = (state: DevState, config: Config) => `
Ringback is ready at ${state.base_url}  (API ${state.base_url}/docs, data in ${config.data})

  live key    ${state.live_key}
  test key    ${state.test_key}
  admin key   ${state.admin_key}
  inbox       ${state.base_url}/dev/inbox   (this server receives its own callbacks and shows them here)
  Loopback destinations are allowed, since this is \`dev\`.

Try it, in this or another terminal: create a task, resolve it by its one-time URL, watch the callback arrive here.

  RESOLVE_URL=$(curl -s ${state.base_url}/v1/tasks -H 'authorization: Bearer ${state.live_key}' \\
    -H 'content-type: application/json' -d '{"params":{"image":"cat.png"}}' | grep -o '"resolve_url":"[^"]*"' | cut -d'"' -f4)
  curl -s "$RESOLVE_URL" -H 'content-type: application/json' -d '{"label":"cat","score":0.98}'

A receiver that fails twice first: add "callback_url":"${state.base_url}/dev/inbox/fail/2" to the task.
`
