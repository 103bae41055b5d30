// `npm test`: everything on SQLite but the commands of the documentation, and then again on a real PostgreSQL what a database
// makes the most difference to. `.ci/run` runs the rest. With arguments, only those files, on the database that TEST_DATABASE says.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const EVERYTHING = ['sdk/**/*.test.ts', 'server/**/*.test.ts', 'bench/**/*.test.ts']
const DOCS = 'docs.test.ts'
const ON_BOTH = ['server/test/{http,engine}/*.test.ts', 'server/test/crash/one-winner.test.ts']

// The long forms are `.ci/run`'s.
const SHORT = { CRASH_ROUNDS: '5', CRASH_TASKS: '1000' }

// A file that hangs must end, too.
const FLAGS = ['--conditions=@ringback/source', '--test', '--test-timeout=300000', '--test-concurrency=3']

function run(globs: string[], settings: Record<string, string>, except?: string): void {
  const files = globSync(globs).filter((file) => except === undefined || !file.endsWith(except))
  // Hundreds of processes load the same files.
  const env = {
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/node'),
    ...process.env,
    ...settings,
  }
  const { status } = spawnSync(process.execPath, [...FLAGS, ...files], {
    stdio: 'inherit',
    env,
  })
  if (status !== 0) process.exit(status ?? 1)
}

const given = process.argv.slice(2)
if (given.length > 0) run(given, {})
else {
  run(EVERYTHING, { TEST_DATABASE: 'sqlite', ...SHORT }, DOCS)
  console.log('\nAgain, on PostgreSQL:\n')
  run(ON_BOTH, { TEST_DATABASE: 'postgres', ...SHORT })
}
