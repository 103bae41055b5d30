// Where the story is told: a line for each thing that happened, and on a terminal below them what is waited for, counted
// down in place. Into a pipe nothing is overwritten, and nobody is given time to read.
import { setTimeout as delay } from 'node:timers/promises'
import { printable } from '../dev/words.ts'
import { fit, pad, wrap, type Screen, type Tone } from '../screen.ts'

/** One thing that happened, to whom. */
export type Scene = { who: string; mark: string; tone?: Tone; text: string }

export type Stage = {
  /** Writes text that is no part of the story, such as its title. */
  announce(text: string, tone?: Tone): void
  tell(scene: Scene): void
  /** Says what is waited for, and until when (milliseconds); without both, that nothing is. */
  await(text?: string, until?: number): void
  /** Gives a person who watches the time to read. */
  pause(signal: AbortSignal): Promise<void>
  /** Takes away what is not to stay. */
  end(): void
}

/** For a story that is played and not told. */
export const emptyHouse: Stage = { announce() {}, tell() {}, await() {}, async pause() {}, end() {} }

type Output = { write: (text: string) => unknown; isTTY?: boolean }

const READING_MS = 1500
const REDRAW_MS = 200
const WIDE = 70
const TIME_COLUMNS = 8
const WHO_COLUMNS = 12
const CLEAR_LINE = '\r\u001B[2K'

/** Makes a stage of an output. The times told are those since now. */
export function createStage(
  output: Output,
  { width, paint }: Screen,
  { now = () => performance.now() }: { now?: () => number } = {},
): Stage {
  const begun_at = now()
  const watched = output.isTTY === true
  let hint: { text: string; until: number } | undefined
  let timer: NodeJS.Timeout | undefined

  const write = (lines: readonly string[]) =>
    void output.write(`${watched ? CLEAR_LINE : ''}${lines.join('\n')}\n`)

  function draw(): void {
    if (hint === undefined || !watched) return
    const left_s = Math.max(0, Math.ceil((hint.until - Date.now()) / 1000))
    output.write(CLEAR_LINE + paint('dim', fit(`  ${hint.text} in ${left_s} s …`, width - 1)))
  }

  return {
    announce(text, tone) {
      write(wrap(text, width).map((line) => (tone === undefined ? line : paint(tone, line))))
      draw()
    },
    tell(scene) {
      write(sceneLines(scene, now() - begun_at, { width, paint }))
      draw()
    },
    await(text, until) {
      hint = text === undefined || until === undefined ? undefined : { text, until }
      if (watched) output.write(CLEAR_LINE)
      draw()
      timer ??= watched ? setInterval(draw, REDRAW_MS).unref() : undefined
    },
    async pause(signal) {
      if (watched) await delay(READING_MS, undefined, { signal })
    },
    end() {
      clearInterval(timer)
      if (watched) output.write(CLEAR_LINE)
    },
  }
}

function sceneLines({ who, mark, tone, text }: Scene, since_ms: number, { width, paint }: Screen): string[] {
  const marked = tone === undefined ? mark : paint(tone, mark)
  if (width < WIDE) {
    const [first = '', ...rest] = wrap(printable(`${who}: ${text}`), width - 2)
    return [`${marked} ${first.replace(who, paint('bold', who))}`, ...rest.map((line) => `  ${line}`)]
  }
  const time = `${(since_ms / 1000).toFixed(1)} s`.padStart(TIME_COLUMNS - 2)
  const left = TIME_COLUMNS + 2 + WHO_COLUMNS
  const [first = '', ...rest] = wrap(printable(text), width - left)
  const head = `${paint('dim', pad(time, TIME_COLUMNS))}${marked} ${paint('bold', pad(who, WHO_COLUMNS))}`
  return [head + first, ...rest.map((line) => pad('', left) + line)]
}
