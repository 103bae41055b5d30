// How far an import is, and its next step: some lines become tasks at once, and are counted. What is counted is written down
// now and then; lines that were not yet are read again after a crash.
import type { WorkDeps } from '../front.ts'
import type { WorkTools } from '../work.ts'
import { importLine, type Batch } from './import-line.ts'
import { failing, printImport, type ImportState } from './import-state.ts'
import { readLine, tooLong, type Line } from './line.ts'
import type { RawLine } from './lines.ts'

// The bound in lines is for those that come quickly: what was not saved is read anew.
const SAVE_EVERY = { ms: 1000, lines: 500 }

/** How far an import is. */
export type Progress = ReturnType<typeof trackProgress>

/** Keeps the state of an import, and writes it down now and then. */
export function trackProgress(begun: ImportState, { now, save }: WorkTools) {
  let state = begun
  let saved = { at: now(), line_count: begun.line_count }
  const saveNow = async () => {
    await save(printImport(state))
    saved = { at: now(), line_count: state.line_count }
  }
  return {
    state: () => state,
    save: saveNow,
    async change(next: ImportState): Promise<void> {
      state = next
      const lines = state.line_count - saved.line_count
      if (lines >= SAVE_EVERY.lines || now() - saved.at >= SAVE_EVERY.ms) await saveNow()
    },
  }
}

/** Makes tasks of the next lines, and counts them. */
export async function takeIn(
  deps: WorkDeps,
  batch: Batch,
  progress: Progress,
  raws: readonly RawLine[],
): Promise<void> {
  let state = progress.state()
  const read = raws.map((raw, i) => ({
    number: state.line_count + i + 1,
    line: raw.cut ? tooLong(deps.config.body_limit) : readLine(raw.bytes),
  }))
  const faults = await Promise.all(inTurns(read, (each) => importLine(deps, batch, each)))
  for (const [i, { line }] of read.entries()) {
    const error = faults[i] ?? null
    if (error === null) continue
    state = failing(state, { identifier: line.identifier, line: raws[i]?.bytes ?? null, error })
  }
  await progress.change({ ...state, line_count: state.line_count + raws.length })
}

/** Takes all at once, but those of one identifier in their order, so that it is the first that has it. */
function inTurns<T extends { line: Line }>(all: readonly T[], take: (each: T) => Promise<string | null>) {
  const turns = new Map<string | null, Promise<unknown>>()
  return all.map(async (each) => {
    const before = turns.get(each.line.identifier)
    const turn = before === undefined ? take(each) : before.then(() => take(each))
    if (each.line.identifier !== null) turns.set(each.line.identifier, turn)
    return turn
  })
}
