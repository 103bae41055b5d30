// `ringback copy`: from one database to another, from SQLite to PostgreSQL above all, while no server is on either. Killed
// anywhere, it goes on when run again. It needs no key: what is sealed stays as it is.
import type { Copied, Report } from '../store/copy/copy.ts'
import { settings } from '../config.ts'
import { createProgress, type Progress } from './client/progress.ts'
import { defineCommand, jsonOption, UsageError, type Flags } from './command.ts'
import { screenOf } from './screen.ts'
import { table } from './table.ts'

const FORM = 'FOLDER|FILE|URL'

export const copyCommand = defineCommand({
  name: 'copy',
  summary: 'Copies the whole database to an empty one, between SQLite and PostgreSQL, and checks the copy.',
  settings: [],
  options: {
    from: {
      type: 'string',
      form: FORM,
      doc: 'What is copied: a data folder, a file such as a backup, or postgres://…; no server may be on it.',
    },
    to: { type: 'string', form: FORM, doc: 'Where to; it must be empty, or what an interrupted copy left.' },
    json: jsonOption,
  },
  async run(flags) {
    const [from, to] = [placeGiven(flags, 'from'), placeGiven(flags, 'to')]
    // Loaded here, so that the commands that only call a server start at once.
    const { copyBetween } = await import('../app.ts')
    const asJson = flags['json'] === true
    const steps = asJson ? undefined : createSteps()
    const started_at = Date.now()
    const copied = await copyBetween(from, to, (report) => steps?.show(report)).finally(() => steps?.end())
    const took_ms = Date.now() - started_at
    console.log(asJson ? JSON.stringify({ ...copied, took_ms }) : told(copied, took_ms))
  },
})

/** Where an end is. Throws UsageError when it is missing or cannot be one. */
function placeGiven(flags: Flags, name: 'from' | 'to'): string {
  const given = flags[name]
  if (typeof given !== 'string' || given === '')
    throw new UsageError(`--${name} is missing: name a data folder, a database file or postgres://…`)
  const [scheme] = /^[a-z]+:(?=\/\/)/i.exec(given) ?? []
  if (scheme === undefined) return given
  try {
    return settings.database_url.parse(given)
  } catch (error) {
    throw new UsageError(`--${name} is not valid: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Shows how far each step is, one below the other. */
function createSteps() {
  let shown: Report['step'] | undefined
  let progress: Progress | undefined
  return {
    show({ step, rows, total }: Report) {
      if (step !== shown) {
        progress?.end()
        console.error(step === 'copying' ? `Copying ${total} rows.` : 'Reading both sides to compare them.')
        progress = createProgress(process.stderr, process.env)
        shown = step
      }
      progress?.show(rows, total)
    },
    end: () => progress?.end(),
  }
}

function told({ from, to, resumed_rows, tables }: Copied, took_ms: number): string {
  const rows = tables.reduce((sum, each) => sum + each.rows, 0)
  const before = resumed_rows === 0 ? '' : `, ${resumed_rows} of them before it was interrupted`
  return `${table(
    [{ name: 'table' }, { name: 'rows' }, { name: 'hash' }],
    tables.map((each) => [{ text: each.name }, { text: String(each.rows) }, { text: each.hash }]),
    screenOf(process.stdout, process.env),
  )}

Copied ${rows} rows${before} in ${(took_ms / 1000).toFixed(1)} s, and both sides agree.
from ${from}
to   ${to}
The copy needs the RINGBACK_SECRET_KEY that the source was served with. Start servers on one of the two only.`
}
