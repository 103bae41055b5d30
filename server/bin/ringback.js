#!/usr/bin/env node
// Starts the command line. In a clone the TypeScript sources run unbuilt, so the condition that points the
// workspaces at each other's sources is switched on here; the published package has only dist/.
import { existsSync } from 'node:fs'
import { registerHooks } from 'node:module'

const source = new URL('../src/cli.ts', import.meta.url)
if (existsSync(source)) {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@ringback/source'] }),
  })
  await import(source.href)
} else {
  await import('../dist/cli.js')
}
