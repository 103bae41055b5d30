// `ringback dev`: everything on a laptop by one command. Its own inbox is the first receiver, so that a newcomer sees a
// whole round trip; loopback is opened as a destination, and said so.
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import type { App } from '../app.ts'
import { readConfig, type Config } from '../config.ts'
import { defineCommand, settingFlags } from './command.ts'
import { choosePort, localUrl, LOOPBACK } from './dev/address.ts'
import { attemptLine } from './dev/attempt.ts'
import { addInbox } from './dev/inbox.ts'
import { addPage } from './dev/page.ts'
import { ensureProject, inboxUrl, secretsOf } from './dev/project.ts'
import { devMail, devSecretKey, readDevState, writeDevState, type DevState } from './dev/state.ts'
import { welcome } from './dev/welcome.ts'
import { clock, printable } from './dev/words.ts'
import { untilStopped } from './stop.ts'

export const dev = defineCommand({
  name: 'dev',
  summary: 'Serves on this machine, with a project and a receiver to try it on.',
  async run(flags) {
    // Loaded here, so that the commands that only call a server start at once.
    const { createApp } = await import('../app.ts')
    const { config: given, origins } = readConfig(settingFlags(flags), process.env)
    const earlier = { ...firstState(), ...readDevState(given.data) }
    const port = await choosePort(given)
    const config: Config = {
      ...given,
      port,
      admin_key: given.admin_key ?? earlier.admin_key,
      egress_allow: [...LOOPBACK, ...given.egress_allow],
      // Its own inbox must be within reach.
      egress_ports: [port, ...given.egress_ports],
      smtp_url: given.smtp_url ?? devMail(given.data),
    }
    const base_url = localUrl(config)
    const inbox_url = inboxUrl(base_url)
    let state: DevState = { ...earlier, admin_key: config.admin_key ?? '' }
    const app: App = await createApp({
      config,
      secret_key: config.secret_key ?? devSecretKey(config.data),
      public_url: config.public_url ?? base_url,
      // The terminal belongs to the callbacks, unless a level was asked for.
      log: pino({ level: origins.log_level === 'default' ? 'warn' : config.log_level, base: null }),
      onAttempt(attempted) {
        const line = attemptLine(attempted, { inbox_url, now: Date.now() })
        if (line !== undefined) show(line)
      },
      extend(server) {
        addInbox(server, {
          secrets: () => secretsOf(app.store, state.project_id, 'signing'),
          body_limit: config.body_limit,
          show,
        })
        addPage(server, {
          base_url,
          data: config.data,
          project_id: () => state.project_id,
          store: () => app.store,
        })
      },
    })
    try {
      state = await ensureProject(app, state, base_url)
      writeDevState(config.data, state)
      await app.start()
    } catch (error) {
      await app.stop()
      throw error
    }
    // Before the greeting: whoever has read it may send a signal.
    const stopped = untilStopped(app, show)
    console.log(welcome(state, config))
    await stopped
  },
})

const show = (line: string) => console.log(`${clock(Date.now())}  ${printable(line)}`)

const firstState = (): DevState => ({
  base_url: '',
  admin_key: randomBytes(24).toString('hex'),
  project_id: '',
  live_key: '',
  test_key: '',
  operator_key: '',
  callback_auth_key: '',
  signing_secret: '',
})
