// How far something is, while one waits for it: a bar that is drawn over on a terminal, else a line now and then. It goes to
// standard error, so that what a command has to tell stays alone on standard output.
import { fit, screenOf, type Stream } from '../screen.ts'

export type Progress = {
  show(done: number, all: number): void
  /** Leaves the bar as it is, and goes to the next line. */
  end(): void
}

type Output = Stream & { write(text: string): unknown }

// Without a terminal a line is written each time that another tenth is done.
const LINES = 10
const BAR_COLUMNS = 40

/** Makes a progress on a stream. */
export function createProgress(stream: Output, env: Readonly<Record<string, string | undefined>>): Progress {
  const drawn = stream.isTTY === true && env['TERM'] !== 'dumb'
  const { width } = screenOf(stream, env)
  let shown = -1
  return {
    show(done, all) {
      if (drawn) return void stream.write(`\r${barOf(done, all, width)}\u001B[K`)
      const tenth = Math.floor(LINES * shareOf(done, all))
      if (tenth > shown) stream.write(`${figuresOf(done, all)}\n`)
      shown = Math.max(shown, tenth)
    },
    end: () => void (drawn && stream.write('\n')),
  }
}

const shareOf = (done: number, all: number) => (all === 0 ? 1 : Math.min(1, done / all))

const figuresOf = (done: number, all: number) =>
  `${done} of ${all} (${Math.floor(100 * shareOf(done, all))} %)`

// The last column stays free: some terminals break the line there, and the next bar would be drawn below.
function barOf(done: number, all: number, width: number): string {
  const figures = figuresOf(done, all)
  const columns = Math.min(BAR_COLUMNS, width - figures.length - 2)
  if (columns < 5) return fit(figures, width - 1)
  const full = Math.floor(columns * shareOf(done, all))
  return `${'█'.repeat(full)}${'░'.repeat(columns - full)} ${figures}`
}
