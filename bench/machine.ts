// On what the figures were made: they mean nothing without it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { openClient, type TestPostgres } from '../server/test/support/postgres.ts'

const GIB = 1024 ** 3

/** The machine as its system shows it. */
export const machine = () => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / GIB),
  system: `${process.platform} ${release()}`,
})

const versionIn = (file: string): string =>
  (JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as { version: string }).version

/** The versions of all that was measured; `commit` is null outside a clone. */
export async function versions(postgres: TestPostgres | undefined) {
  return {
    ringback: versionIn('../server/package.json'),
    commit: commitHere(),
    node: process.versions.node,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    undici: versionIn('../node_modules/undici/package.json'),
    ...(postgres === undefined ? {} : { postgres: await postgresVersion(postgres) }),
  }
}

function commitHere(): string | null {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: new URL('.', import.meta.url),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
      .toString()
      .trim()
  } catch {
    return null
  }
}

async function postgresVersion(postgres: TestPostgres): Promise<string> {
  const url = await postgres.createDatabase()
  const client = await openClient(url)
  const { rows } = await client.query<{ server_version: string }>('show server_version')
  await client.end()
  await postgres.dropDatabase(url)
  return rows[0]?.server_version ?? 'unknown'
}
