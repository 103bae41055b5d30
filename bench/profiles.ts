// What cost most, by the CPU profiles that Node wrote (`--cpu-prof`), one for each thread.
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The parts of a .cpuprofile file that are read here (Chrome DevTools protocol, Profiler.Profile); times in microseconds. */
export type Profile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  samples: number[]
  timeDeltas: number[]
}

/** A function's own time, without that of those it called, as a share of the time in which the thread was busy. */
export type Cost = { name: string; at: string; share: number }

// Nothing to do, and native code outside any function: mostly waiting for the system.
const NOT_BUSY = new Set(['(idle)', '(program)', '(root)'])

/** How long the thread was busy, and the functions that cost most of that, most first. */
export function costliest(
  { nodes, samples, timeDeltas }: Profile,
  count: number,
): { busy_ms: number; costs: Cost[] } {
  const own = new Map<number, number>()
  for (const [i, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const functions = new Map<string, { name: string; at: string; time: number }>()
  let busy = 0
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame
    const time = own.get(id) ?? 0
    if (NOT_BUSY.has(functionName) || time <= 0) continue
    busy += time
    const at = url === '' ? '' : `${placeOf(url)}:${lineNumber + 1}`
    const name = functionName === '' ? '(anonymous)' : functionName
    const known = functions.get(`${name} ${at}`)
    if (known === undefined) functions.set(`${name} ${at}`, { name, at, time })
    else known.time += time
  }
  const costs = Array.from(functions.values(), ({ name, at, time }) => ({ name, at, share: time / busy }))
  return { busy_ms: busy / 1000, costs: costs.toSorted((a, b) => b.share - a.share).slice(0, count) }
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const placeOf = (url: string): string =>
  url.startsWith('file:')
    ? relative(ROOT, fileURLToPath(url)).replace(/^.*(node_modules|ringback-built-[^/]*)\//, '')
    : url

const SHOWN = 10

/** A Markdown table for each thread of each profile that was written below the folder since a time of the day, in milliseconds. */
export async function profileReport(folder: string, since: number): Promise<string> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.cpuprofile'))
  const tables: string[] = []
  for (const file of files.toSorted()) {
    const path = join(folder, file)
    if ((await stat(path)).mtimeMs < since) continue
    const { busy_ms, costs } = costliest(JSON.parse(await readFile(path, 'utf8')) as Profile, SHOWN)
    const rows = costs.map(({ name, at, share }) => `| ${name} | ${at} | ${(100 * share).toFixed(1)} % |`)
    tables.push(
      [
        `### ${titleOf(file)}, busy for ${(busy_ms / 1000).toFixed(1)} s`,
        '',
        '| function | at | own time |',
        '| --- | --- | --- |',
        ...rows,
      ].join('\n'),
    )
  }
  return tables.join('\n\n')
}

/** The folder is the scenario; the file's name is CPU.<day>.<time>.<process>.<thread>.<number>.cpuprofile. */
function titleOf(file: string): string {
  const [, , , pid, thread] = basename(file).split('.')
  return `${dirname(file)}, process ${pid}, ${thread === '0' ? 'main thread' : `worker ${thread}`}`
}
