// `npm run bench`: everything in one run. Prints tables and writes the same as JSON; ends with status 1, and without a
// figure, when a scenario lost or doubled anything.
import { mkdir, mkdtemp, open, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startPostgres } from '../server/test/support/postgres.ts'
import { fairness } from './fairness.ts'
import { check, runBench } from './faults.ts'
import { growth } from './growth.ts'
import { load } from './load.ts'
import { machine, versions } from './machine.ts'
import { memory } from './memory.ts'
import { HELP, readOptions, UsageError, type Group, type Options } from './options.ts'
import { profileReport } from './profiles.ts'
import { build, source } from './program.ts'
import { resultTables, type Result } from './results.ts'
import { onPostgres, onSqlite } from './setups.ts'
import { siege } from './siege.ts'
import { startSink } from './sink-process.ts'
import type { Stage } from './stage.ts'
import { start } from './start.ts'

const groups: Record<Group, (stage: Stage) => Promise<Result[]>> = {
  load,
  fairness,
  siege,
  growth,
  memory,
  start,
}

// Of a server that has a machine with others, and no more than a laptop has to spare.
const POSTGRES = { shared_buffers: '512MB', max_wal_size: '4GB', max_connections: '500' }

async function run({ groups: wanted, sizes, nodes, built, json, profile }: Options): Promise<void> {
  // Half an hour from now is too late to find out.
  const file = await open(json, 'a').catch((error: Error) => check(false, `--json: ${error.message}`))
  await file?.close()
  if (profile !== undefined)
    await provideFolder(profile).catch((error: Error) => check(false, `--profile: ${error.message}`))
  await using stack = new AsyncDisposableStack()
  const sink = stack.adopt(await startSink(), (started) => started.stop())
  const { program } = built
    ? stack.adopt(await build(), ({ folder }) => rm(folder, { recursive: true }))
    : { program: source }
  const postgres =
    nodes.length === 0
      ? undefined
      : stack.adopt(await startPostgres({ fsync: true, settings: POSTGRES }), (own) => own.stop())
  const setups = [
    onSqlite(program),
    ...(postgres === undefined ? [] : nodes.map((count) => onPostgres(postgres, count, program))),
  ]
  const began = Date.now()
  const about = {
    machine: machine(),
    versions: await versions(postgres),
    program: program.what,
    sizes,
    profiled: profile !== undefined,
  }
  console.log(aboutLine(about))
  const stage: Stage = { sink, setups, sizes, profile, say: (line) => console.log(`${clock(began)} ${line}`) }
  const results: Result[] = []
  for (const group of wanted) results.push(...(await groups[group](stage)))

  console.log(`\n${aboutLine(about)}\n\n${resultTables(results)}`)
  if (profile !== undefined) console.log(`\n${await profileReport(profile, began)}`)
  const found = { measured_at: new Date(began).toISOString(), ...about, results }
  await writeFile(json, `${JSON.stringify(found, null, 2)}\n`)
  console.log(`\nThe same as JSON: ${json}`)
}

/** Makes a folder, if it is not there, and sees that something can be put into it. */
async function provideFolder(path: string): Promise<void> {
  // Not with those above it: in a file system that has no folders but its own, such as /proc, that would never end.
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await rmdir(await mkdtemp(join(path, 'trial-')))
}

type About = {
  machine: ReturnType<typeof machine>
  versions: Record<string, string | null>
  program: string
  profiled: boolean
}

function aboutLine({
  machine: { cpu, cores, memory_gib, system },
  versions: found,
  program,
  profiled,
}: About) {
  const names = Object.entries(found).map(([name, version]) => `${name} ${version ?? 'unknown'}`)
  return `${cpu}, ${cores} cores, ${memory_gib} GiB, ${system}; ${names.join(', ')}; from ${program}${profiled ? ', watched by a profiler' : ''}`
}

/** How long it has been at work. */
function clock(began: number): string {
  const seconds = Math.floor((Date.now() - began) / 1000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    // What is wrong with the arguments is one line for a person, not a fault of the program.
    if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error
    console.error(error.message)
    process.exit(2)
  }
}

const options = optionsOrExit()
if (options.help) console.log(HELP)
else await runBench(() => run(options))
