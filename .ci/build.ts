// Builds the two publishable packages and checks them as their users will get them.
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'

const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'inherit' })

for (const workspace of ['sdk', 'server']) {
  rmSync(`${workspace}/dist`, { recursive: true, force: true })
  run('tsc', '-p', `${workspace}/tsconfig.build.json`)
  if (workspace === 'server') {
    cpSync('server/src/store/migrations', 'server/dist/store/migrations', { recursive: true })
  }
  run('publint', '--strict', workspace)
}
// The service has no importable entry, so only the sdk's types can be wrong. It is ESM: `require` of it needs Node 20.19.
run('attw', '--pack', 'sdk', '--profile', 'esm-only')
