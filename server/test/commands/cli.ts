// The command line as its users run it: real processes against a real `ringback dev` in a folder of its own.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

export const bin = new URL('../../bin/ringback.js', import.meta.url).pathname

/** What a command printed, and how it ended. */
export type Ended = { code: number; stdout: string; stderr: string }

type Environment = Readonly<Record<string, string>>

/** This process's environment without what would change a command's output. */
const plain = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(RINGBACK_|COLUMNS$|NO_COLOR$|FORCE_COLOR$)/.test(name)),
)

/** Runs a program to its end; `input` is all that it can read. */
export const run = (
  file: string,
  args: readonly string[],
  env: Environment = {},
  cwd?: string,
  input = '',
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env: { ...plain, ...env }, maxBuffer: 1 << 26, cwd },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      },
    )
    // Who has nothing to read may be gone before.
    child.stdin?.on('error', () => {}).end(input)
  })

/** Starts `ringback dev` on a free port, and gives a way to run commands against it. It ends with the test, as its folder does. */
export async function startDev(t: TestContext, folder?: string, env: Environment = {}) {
  const data = folder ?? (await mkdtemp(join(tmpdir(), 'ringback-cli-')))
  const child = spawn(process.execPath, [bin, 'dev', '--port', '0', '--data', data], {
    env: { ...plain, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
  }
  t.after(async () => {
    await stop()
    await rm(data, { recursive: true, force: true })
  })
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) if (line.startsWith('The last tasks')) break
  // Whoever stops reading a pipe blocks its writer.
  child.stdout.resume()
  const dev = JSON.parse(await readFile(join(data, 'dev.json'), 'utf8')) as Record<
    'base_url' | 'admin_key' | 'live_key' | 'test_key' | 'project_id',
    string
  >
  return {
    dev,
    data,
    stop,
    /** Runs a command as in a terminal beside the server. */
    ringback: (args: readonly string[], env: Environment = {}, input = '') =>
      run(process.execPath, [bin, ...args], { RINGBACK_DATA: data, ...env }, undefined, input),
  }
}
