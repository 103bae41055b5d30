// Which program is measured: the sources of this clone, as `npx ringback` runs them, or the package that users install.
import { execFileSync } from 'node:child_process'
import { cp, mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A program to start with Node; `what` says in a word what it was made of. */
export type Program = { what: 'source' | 'built'; script: string }

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** The sources, unbuilt. */
export const source: Program = { what: 'source', script: join(ROOT, 'server/bin/ringback.js') }

/**
 * Builds the packages and lays the server out as npm does: without its sources, which `bin` would prefer, and beside the
 * dependencies. The folder is temporary and the caller's to remove.
 */
export async function build(): Promise<{ program: Program; folder: string }> {
  // What npm says of its own settings would stand between the bench's lines.
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  const folder = await mkdtemp(join(tmpdir(), 'ringback-built-'))
  for (const part of ['bin', 'dist', 'package.json'])
    await cp(join(ROOT, 'server', part), join(folder, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return { program: { what: 'built', script: join(folder, 'bin/ringback.js') }, folder }
}
