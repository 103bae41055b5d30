#!/usr/bin/env node
// Starts the command line. In a clone the TypeScript sources run unbuilt, so the condition that points the
// workspaces at each other's sources is switched on here; the published package has only dist/.
import { existsSync } from 'node:fs'
import * as module from 'node:module'

// Said here, since older versions do not even read the rest.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `ringback: this is Node ${process.versions.node}, and Ringback needs 24 or newer; in a clone \`npx ringback\` takes the clone's own`,
  )
  process.exit(1)
}

// What is compiled once need not be again: a command starts in half the time.
module.enableCompileCache()

const source = new URL('../src/cli.ts', import.meta.url)
if (existsSync(source)) {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, '@ringback/source'] }),
  })
  await import(source.href)
} else {
  await import('../dist/cli.js')
}
