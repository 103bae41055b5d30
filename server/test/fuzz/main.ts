// `npm run fuzz`: every route of the program, with valid, changed and random requests over real sockets, against a server of its
// own. Ends with status 1 when it finds a fault.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { stopInOrder } from '../crash/server-process.ts'
import { countOpen, namesOpen, untilClosed } from './open-files.ts'
import { describe, faultText, neverReached } from './report.ts'
import { collectRoutes } from './routes.ts'
import { run, type Result } from './run.ts'
import { setStage } from './stage.ts'

const HELP = `Usage: npm run fuzz -- [options]

  --requests N  how many (20000)
  --seed N      makes the requests of an earlier run again
  --database D  sqlite or postgres (sqlite)
  --routes R    only routes whose name, such as "POST /v1/tasks", matches this regular expression
  --help`

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    database: { type: 'string', default: 'sqlite' },
    routes: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})

const PROGRESS_MS = 10_000
const CLOSED_MS = 30_000
// Connections that callbacks keep open, and what Node opens once.
const STILL_OPEN = 12

function numberOf(name: 'requests' | 'seed'): number {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= 0) return value
  return refuse(`--${name} must be a whole number, not ${values[name]}`)
}

function databaseOf(): 'sqlite' | 'postgres' {
  const { database } = values
  if (database === 'sqlite' || database === 'postgres') return database
  return refuse(`--database must be sqlite or postgres, not ${database}`)
}

function refuse(text: string): never {
  console.error(text)
  process.exit(2)
}

/** Makes something that tells of each fault as it is found, and now and then how far the run is. */
function createProgress(): (done: number, result: Result) => void {
  const started = Date.now()
  let told = started
  let shown = 0
  return (done, { faults }) => {
    for (const fault of faults.slice(shown)) console.log(`\nFAULT ${faultText(fault)}\n`)
    shown = faults.length
    if (Date.now() - told < PROGRESS_MS) return
    told = Date.now()
    console.log(`${Math.round((told - started) / 1000)} s: ${done} requests, ${faults.length} faults`)
  }
}

async function fuzz(seed: number, requests: number, folder: string): Promise<boolean> {
  await using stage = await setStage(folder, databaseOf())
  const { pid } = stage.server
  const routes = (await collectRoutes(stage.document)).filter(({ name }) =>
    new RegExp(values.routes).test(name),
  )
  const before = countOpen(pid) ?? 0
  const result = await Promise.race([
    run(stage, routes, { seed, requests, onProgress: createProgress() }),
    stage.server.exited.then(({ status, signal }) => {
      throw new Error(`The server ended (${status ?? signal}):\n${stage.server.tail()}`)
    }),
  ])
  const after = (await untilClosed(pid, before + STILL_OPEN, CLOSED_MS)) ?? 0
  const leaked =
    after > before + STILL_OPEN
      ? [`${after} things are open, before the run ${before}: ${namesOpen(pid).join(', ')}`]
      : []
  await stopInOrder(stage.server)
  console.log(describe(routes, result))
  console.log(`open files and sockets: ${before} before, ${after} after`)
  const others = [
    ...neverReached(routes, result, requests),
    ...stage.bugs.map((line) => `in the log: ${line}`),
    ...leaked,
  ]
  for (const fault of others) console.log(`\nFAULT ${fault}`)
  const count = result.faults.length + others.length
  console.log(count === 0 ? `no faults with seed ${seed}` : `${count} faults with seed ${seed}`)
  return count === 0
}

if (values.help) console.log(HELP)
else {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
  const [seed, requests] = [numberOf('seed'), numberOf('requests')]
  console.log(`seed ${seed}`)
  const folder = mkdtempSync(join(tmpdir(), 'ringback-fuzz-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.exitCode = (await fuzz(seed, requests, folder)) ? 0 : 1
}
