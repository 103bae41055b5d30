// `ringback secrets rotate`: everything that is sealed gets sealed with the new RINGBACK_SECRET_KEY. A server that has the
// database is asked for one step after the other; without one it is opened here. Killed anywhere, it goes on when run again.
import { randomFillSync } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Resealed } from '@ringback/sdk'
import { ConfigError, readClientConfig, readConfig, type Config } from '../config.ts'
import { newAudit } from '../domain/audit.ts'
import { createIds } from '../domain/id.ts'
import { keyIdOf } from '../store/cipher.ts'
import { exchange } from './client/exchange.ts'
import { serverOf, serverOptions, type Server } from './client/server.ts'
import { defineCommand, jsonOption, settingFlags } from './command.ts'
import { localUrl } from './dev/address.ts'
import { readDevState } from './dev/state.ts'

export const secretsRotate = defineCommand({
  name: 'secrets rotate',
  summary:
    'Seals the secrets in the database with the new RINGBACK_SECRET_KEY, while a server serves or not.',
  settings: ['data', 'secret_key', 'secret_key_old'],
  options: { json: jsonOption, ...serverOptions('admin') },
  async run(flags) {
    const { config } = readConfig(settingFlags(flags), process.env)
    const { url } = readClientConfig(settingFlags(flags), process.env).config
    // Whoever names a server means it, and not what lies in a folder here.
    const done = url === null ? await inDatabase(config) : undefined
    const known = url ?? readDevState(config.data)?.base_url ?? localUrl(config)
    const all = done ?? (await walk(stepOf(serverOf({ ...flags, url: known }, process.env, 'admin'), config)))
    console.log(flags['json'] === true ? JSON.stringify(all) : told(all))
  },
})

/** Seals a few texts anew, and says how many remain. */
type Step = () => Promise<Resealed>

/** Makes steps until nothing remains; gives their sum. */
async function walk(step: Step): Promise<Resealed> {
  const progress = createProgress()
  let resealed = 0
  for (;;) {
    const { key_id, remaining, ...last } = await step()
    resealed += last.resealed
    if (remaining === 0) {
      progress.end()
      return { key_id, resealed, remaining }
    }
    progress.show(`${resealed} sealed anew, ${remaining < COUNTED ? '' : 'at least '}${remaining} to go`)
  }
}

/** Works on the database of the data folder; undefined when there is none, no key for it, or a process that has it. */
async function inDatabase(config: Config): Promise<Resealed | undefined> {
  // Loaded here, so that the commands that only call a server start at once.
  const { hasDatabase, openStore } = await import('../app.ts')
  const { secret_key } = config
  if (secret_key === null || !hasDatabase(config)) return undefined
  const opening = openStore({ config, secret_key })
  const store = await opening.catch((error: Error) => {
    if (error.name !== 'DatabaseInUseError') throw error
  })
  if (store === undefined) return undefined
  try {
    const newId = createIds(
      () => store.now(),
      (bytes) => void randomFillSync(bytes),
    )
    return await walk(() => store.reseal(newAudit(newId(), 'secrets.reseal', { actor: 'cli' }, {})))
  } finally {
    await store.close()
  }
}

/** The step of a running server. */
function stepOf(server: Server, { secret_key }: Config): Step {
  return async () => {
    const began = performance.now()
    const answer = await exchange(server, (client) => client.admin.resealSecrets()).catch((error: Error) => {
      if (secret_key !== null || error.name !== 'UnreachableError') throw error
      throw new ConfigError(
        `RINGBACK_SECRET_KEY is missing: set it to the new key, since no server answers at ${server.url} that has it`,
      )
    })
    const done = JSON.parse(answer) as Resealed
    if (secret_key !== null && keyIdOf(secret_key) !== done.key_id) {
      throw new ConfigError(
        `${server.url} seals with another key than RINGBACK_SECRET_KEY: start it with that one, and with the key it has now as RINGBACK_SECRET_KEY_OLD`,
      )
    }
    // Half of the time is for its other work.
    if (done.remaining > 0) await delay(performance.now() - began)
    return done
  }
}

// The server counts no further.
const COUNTED = 10_000
const PROGRESS_MS = 1000

/** Progress on standard error: one line that changes on a terminal, else a line a second. */
function createProgress({ stderr } = process) {
  let shown_at = -Infinity
  return {
    show(text: string) {
      if (stderr.isTTY) stderr.write(`\r${text}\u001B[K`)
      else if (performance.now() - shown_at > PROGRESS_MS) stderr.write(`${text}\n`)
      else return
      shown_at = performance.now()
    },
    end: () => stderr.isTTY && shown_at > -Infinity && stderr.write('\r\u001B[K'),
  }
}

const told = ({ key_id, resealed }: Resealed): string =>
  `${resealed === 0 ? 'Nothing to do' : `Sealed ${resealed} values anew`}: all are sealed with the key ${key_id}.
RINGBACK_SECRET_KEY_OLD is not needed any more and can be removed; older backups still need that key.`
