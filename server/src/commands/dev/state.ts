// What `dev` keeps between starts: the key that seals secrets, and dev.json for whoever wants to talk to the server. Both
// are readable by their owner only.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../config.ts'

/** The content of `<data>/dev.json`. */
export type DevState = {
  base_url: string
  admin_key: string
  project_id: string
  live_key: string
  test_key: string
  operator_key: string
  callback_auth_key: string
  signing_secret: string
}

/** The sealing key of a data folder, made at the first start. */
export function devSecretKey(data: string): Uint8Array {
  const path = join(data, 'secret.key')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  if (!existsSync(path)) {
    if (existsSync(join(data, 'ringback.db'))) throw lost(path, 'is missing')
    writeWhole(path, randomBytes(32).toString('base64'))
  }
  const key = Buffer.from(readFileSync(path, 'utf8'), 'base64')
  if (key.length !== 32) throw lost(path, 'is no key')
  return key
}

// A new key would be of no use: it opens nothing of what is there.
const lost = (path: string, what: string) =>
  new ConfigError(
    `${path} ${what}, and the database beside it is sealed with it: put it back, or begin anew with another --data`,
  )

/** The state of an earlier start, or undefined. */
export function readDevState(data: string): DevState | undefined {
  const path = join(data, 'dev.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as DevState) : undefined
}

export const writeDevState = (data: string, state: DevState): void =>
  writeWhole(join(data, 'dev.json'), `${JSON.stringify(state, null, 2)}\n`)

// A file that is half written by a kill would lock the owner out of the data.
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
