// The bench's hold on the server under test: the program as users start it, on a data folder of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { milliseconds } from './figures.ts'
import { source, type Program } from './program.ts'

export type ServerProcess = {
  port: number
  /** When its process was started, by the machine's monotonic clock. */
  started_at: number
  /** The memory that the process has of the machine's. */
  residentMib(): Promise<number>
  /** How many attempts are under way. */
  inFlight(): Promise<number>
  /** Has a `collectable` server collect its garbage; resolves when it did. */
  collect(): Promise<void>
  /** Drains and ends the server. */
  stop(): Promise<void>
}

export const ADMIN_KEY = 'bench-admin-key-of-more-than-32-characters'
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64')
const START_MS = 60_000
const MIB = 1024 ** 2

/** Flags of Node that write CPU profiles to a folder, if there is one. */
export const cpuProfile = (folder: string | undefined): string[] =>
  folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]

/** Flags of Node for a server whose clock is so many days behind: what it makes is that old for the next one. */
export const daysBehind = (days: number): string[] => [
  `--import=data:text/javascript,const{now}=Date;Date.now=()=>now()-${days * 86_400_000}`,
]

/** Flags of Node for a server that collects its garbage when asked to. */
export const collectable: string[] = [
  '--expose-gc',
  '--import=data:text/javascript,process.on("SIGUSR2",()=>gc())',
]

/**
 * Flags of Node for a server that asks the name server at `address` (with its port) instead of the system's. There is no
 * setting for that, since resolv.conf is the one.
 */
export function nameServer(address: string): string[] {
  const code = `import dns from 'node:dns/promises'
import { syncBuiltinESMExports } from 'node:module'
dns.Resolver = class extends dns.Resolver {
  constructor(options) {
    super(options)
    this.setServers([${JSON.stringify(address)}])
  }
}
syncBuiltinESMExports()`
  return [`--import=data:text/javascript,${encodeURIComponent(code)}`]
}

/**
 * Starts `ringback serve` on a data folder, with flags for Node, and resolves when it is ready. With `database_url` its
 * folder has only the log.
 */
export async function startServer(
  data: string,
  {
    flags = [],
    database_url,
    program = source,
  }: { flags?: readonly string[]; database_url?: string | undefined; program?: Program } = {},
): Promise<ServerProcess> {
  const port = await freePort()
  const started_at = milliseconds()
  const child = spawn(process.execPath, [...flags, program.script, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      RINGBACK_PORT: String(port),
      RINGBACK_DATA: data,
      RINGBACK_ADMIN_KEY: ADMIN_KEY,
      RINGBACK_SECRET_KEY: SECRET_KEY,
      RINGBACK_PUBLIC_URL: `http://127.0.0.1:${port}`,
      RINGBACK_EGRESS_ALLOW: '127.0.0.1/32,::1/128',
      RINGBACK_INBOUND_RATE: 'off',
      ...(database_url === undefined ? {} : { RINGBACK_DATABASE_URL: database_url }),
    },
    stdio: ['ignore', openSync(join(data, 'server.log'), 'a'), 'inherit'],
  })
  const exited = once(child, 'exit')
  const killed = () => child.kill('SIGKILL')
  process.on('exit', killed)
  await untilReady(port, exited)
  return {
    port,
    started_at,
    residentMib: async () => (await metric(port, 'process_resident_memory_bytes')) / MIB,
    inFlight: () => metric(port, 'ringback_in_flight'),
    async collect() {
      child.kill('SIGUSR2')
      // Its answer comes from the turn of the event loop that sees the signal, or from a later one.
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`)
      await answer.text()
    },
    async stop() {
      child.kill('SIGTERM')
      const [status] = await exited
      process.off('exit', killed)
      if (status !== 0)
        throw new Error(`the server ended with status ${status}; see ${join(data, 'server.log')}`)
    },
  }
}

/** What the server says of itself under a name without labels. */
async function metric(port: number, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await answer.text())?.[1])
}

async function untilReady(port: number, exited: Promise<unknown>): Promise<void> {
  const ended = exited.then(() => 'ended')
  for (const started = Date.now(); Date.now() - started < START_MS;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.ok === true) return
    if ((await Promise.race([ended, sleep(20)])) === 'ended') break
  }
  throw new Error('the server did not start')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
