// Makes the checks one after the other, and writes each as a line. They share no fate: one that throws is one that failed.
import { ConfigError } from '../../config.ts'
import { fail, type Check, type Finding, type Level } from '../../domain/finding.ts'
import { printable } from '../dev/words.ts'
import { pad, wrap, type Screen, type Tone } from '../screen.ts'

/** A finding with the name of its check. */
export type Examined = { name: string } & Finding

const NARROW = 72
const LEVEL_COLUMNS = 6
const tones: Record<Level, Tone> = { ok: 'green', warn: 'yellow', fail: 'red' }

/** Makes the checks; `told` hears of each finding at once. */
export async function examine(
  checks: readonly Check[],
  told: (examined: Examined) => void,
): Promise<Examined[]> {
  const all: Examined[] = []
  for (const { name, run } of checks) {
    const examined = { name, ...(await runSafely(run)) }
    all.push(examined)
    told(examined)
  }
  return all
}

async function runSafely(run: Check['run']): Promise<Finding> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.message, null)
    return fail(`could not be checked: ${error instanceof Error ? error.message : String(error)}`, null)
  }
}

/** How the findings of some checks are written: a line each, and on a narrow screen the text below its name. */
export function lineOf(
  checks: readonly Pick<Check, 'name'>[],
  { width, paint }: Screen,
): (examined: Examined) => string {
  const nameColumns = Math.max(...checks.map(({ name }) => name.length)) + 2
  return ({ name, level, found, remedy }) => {
    const text = printable(remedy === null ? found : `${found} → ${remedy}`)
    const head = paint(tones[level], pad(level, LEVEL_COLUMNS))
    const left = width < NARROW ? 2 : LEVEL_COLUMNS + nameColumns
    const lines = wrap(text, width - left)
    const below = lines.map((line) => pad('', left) + line)
    if (width < NARROW) return [head + paint('bold', name), ...below].join('\n')
    return [head + pad(name, nameColumns) + (lines[0] ?? ''), ...below.slice(1)].join('\n')
  }
}

/** The last line of findings among which there is no failure. */
export function sumUp(examined: readonly Examined[]): string {
  const warnings = examined.filter(({ level }) => level === 'warn').length
  if (warnings === 0) return 'All is well.'
  return `Nothing failed; ${warnings} ${warnings === 1 ? 'check warns' : 'checks warn'}.`
}
