// The registry of dialects: one line each.
import type { Dialect, Dialects } from './dialect.ts'
import { createNative } from './native/native.ts'
import { createScale } from './scale/scale.ts'

/** Makes all dialects; `version` is the program's, for the `user-agent` of callbacks. */
export function createDialects({ version }: { version: string }): Dialects {
  const all: readonly Dialect[] = [createNative({ version }), createScale({ version })]
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
