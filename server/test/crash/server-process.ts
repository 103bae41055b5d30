// The server as a process of its own, started as users start it. Node runs directly, so a signal reaches the server itself;
// each process takes a free port of its own, because the port of a dead one may be somebody else's a moment later.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const adminKey = 'an-admin-key-of-more-than-32-characters'
const PROGRAM = fileURLToPath(new URL('../../bin/ringback.js', import.meta.url))
const START_MS = 60_000
// Longer than the grace that a server gives itself.
const END_MS = 40_000
const TAIL_LINES = 30

/** How a process ended: its exit status, or the signal that killed it. */
export type Exit = { status: number | null; signal: NodeJS.Signals | null }

export type ServerProcess = AsyncDisposable & {
  pid: number
  /** Resolves with the base URL once the server listens; rejects with its last words if it ends before. */
  ready: Promise<string>
  /** Sends a signal and resolves when the process is gone; one that does not go in 40 seconds is killed. */
  end(signal: NodeJS.Signals): Promise<Exit>
  /** Resolves when the process is gone, however that came. */
  exited: Promise<Exit>
  /** The last warnings and errors that it wrote. */
  tail(): string
}

/**
 * Starts `ringback serve` on a data folder; disposing kills what still runs. `env` adds settings, `onLine` hears every line
 * that it writes.
 */
export function spawnServer(
  data: string,
  env: Record<string, string> = {},
  onLine: (line: string) => void = () => {},
): ServerProcess {
  const child = spawn(process.execPath, [PROGRAM, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      RINGBACK_PORT: '0',
      RINGBACK_DATA: data,
      RINGBACK_ADMIN_KEY: adminKey,
      RINGBACK_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      RINGBACK_PUBLIC_URL: 'http://127.0.0.1',
      RINGBACK_EGRESS_ALLOW: '127.0.0.1/32',
      RINGBACK_INBOUND_RATE: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit').then(([status, signal]): Exit => ({ status, signal }))
  const onExit = () => child.kill('SIGKILL')
  process.on('exit', onExit)
  const lines: string[] = []
  const listening = Promise.withResolvers<string>()
  const hear = (line: string) => {
    onLine(line)
    const port = /"port":(\d+).*"msg":"server\.listening"/.exec(line)?.[1]
    if (port !== undefined) listening.resolve(`http://127.0.0.1:${port}`)
    // Under load the lines of level info are a thousand a second.
    if (!line.startsWith('{"level":30') && lines.push(line) > TAIL_LINES) lines.shift()
  }
  createInterface({ input: child.stdout }).on('line', hear)
  createInterface({ input: child.stderr }).on('line', hear)
  const tail = () => lines.join('\n')
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS)
  void listening.promise.finally(() => clearTimeout(timer)).catch(() => {})
  void exited.then(({ status, signal }) => {
    process.off('exit', onExit)
    listening.reject(new Error(`The server ended (${status ?? signal}) before it listened:\n${tail()}`))
  })

  async function end(signal: NodeJS.Signals): Promise<Exit> {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS)
    const exit = await exited
    clearTimeout(timer)
    return exit
  }
  if (child.pid === undefined) throw new Error('The server could not be started')
  return {
    pid: child.pid,
    ready: listening.promise,
    end,
    exited,
    tail,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** Stops a server by SIGTERM; fails unless it ends by itself and says that all went well. */
export async function stopInOrder(server: ServerProcess): Promise<void> {
  const { status, signal } = await server.end('SIGTERM')
  assert.equal(status, 0, `The stop ended with ${status ?? signal}:\n${server.tail()}`)
}
