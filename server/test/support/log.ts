// A log that tests can read.
import type { Log } from '../../src/engine/log.ts'

export type Line = Record<string, unknown> & { level: 'info' | 'warn' | 'error'; message: string }

/** Makes a log that keeps its lines. */
export function createTestLog(): Log & { lines: Line[] } {
  const lines: Line[] = []
  const at = (level: Line['level']) => (fields: Record<string, unknown>, message: string) => {
    lines.push({ ...fields, level, message })
  }
  return { lines, info: at('info'), warn: at('warn'), error: at('error') }
}
