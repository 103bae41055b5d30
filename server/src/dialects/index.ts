// The registry of dialects: one line each.
import { createAsyncqueue } from './asyncqueue/asyncqueue.ts'
import type { Dialect, Dialects } from './dialect.ts'
import { createNative } from './native/native.ts'
import { createScale } from './scale/scale.ts'
import { createStardust } from './stardust/stardust.ts'
import { createSuperai } from './superai/superai.ts'

/**
 * Makes all dialects; `version` is the program's, for the `user-agent` of callbacks. A request that carries its time may be off
 * the server's clock by `signature_window_s`.
 */
export function createDialects({
  version,
  signature_window_s = 300,
}: {
  version: string
  signature_window_s?: number
}): Dialects {
  const all: readonly Dialect[] = [
    createNative({ version }),
    createScale({ version }),
    createStardust({ version, window_ms: signature_window_s * 1000 }),
    createSuperai({ version }),
    createAsyncqueue({ version }),
  ]
  const byName = new Map(all.map((dialect) => [dialect.name, dialect]))
  return {
    all,
    get(name) {
      const dialect = byName.get(name)
      if (dialect === undefined)
        throw new Error(`This program has no dialect ${name}; it is older than its data`)
      return dialect
    },
  }
}
