// `npm run bench:fairness`: what a broken receiver costs the others. An even load of healthy callbacks is measured alone and beside
// each kind of broken receiver, in turns, since the speed of a shared machine drifts. Ends with status 1 when a healthy callback was
// lost or came twice.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { median, percentile } from './figures.ts'
import { readRequests } from './http-requests.ts'
import { startReceivers, type Receivers } from './receivers-process.ts'
import { check, createProject, runBench, SETTLE_MS } from './scenarios.ts'
import { onEmptyDatabase, sqlite } from './setups.ts'
import { createLedger, runLoad, type Addressee } from './soak-load.ts'

const HELP = `Usage: npm run bench:fairness -- [options]

  --rate N     tasks a second (500)
  --seconds N  how long each is measured (10)
  --waiting N  deliveries that wait at the receiver that answers 500 (20000)
  --rounds N   (3)
  --help`

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
    waiting: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
})

// Of five tasks one goes to the broken receiver; alone, all go to the healthy one, so that there is the same to do.
const BROKEN_ONE_IN = 5
const SLOW_MS = 10_000
const DRIP_MS = 1000

/** A broken receiver; `waiting` says that a backlog is made for it first. */
type Kind = { name: string; url: string; waiting?: true }

async function startBroken(behave: (socket: Socket) => void): Promise<{ url: string; stop(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    readRequests(socket, () => behave(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function drip(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  const timer = setInterval(() => socket.write('.'), DRIP_MS)
  socket.on('close', () => clearInterval(timer))
}

type Stage = { port: number; key: string; receivers: Receivers; rate: number; seconds: number }

/** Milliseconds from resolution to arrival of the healthy callbacks, beside a broken receiver or none. */
async function measure(stage: Stage, broken: Kind | null): Promise<number[]> {
  const { port, key, receivers, rate, seconds } = stage
  const addresseeOf = (n: number): Addressee =>
    broken !== null && n % BROKEN_ONE_IN === 0 ? 'dead' : 'healthy'
  const ledger = createLedger(rate * seconds, addresseeOf)
  receivers.listen(ledger.accepted)
  const urls = { ...receivers.urls, dead: broken?.url ?? '' }
  await runLoad({ port, key, ledger, rate, urls })
  await ledger.complete(SETTLE_MS)
  const { lost, doubled } = ledger.faults()
  check(lost === 0 && doubled === 0, `${lost} healthy callbacks were lost, ${doubled} came twice`)
  return ledger.takeWaits()
}

/** Makes so many deliveries wait at a broken receiver, as fast as the server can. */
async function makeBacklog({ port, key, receivers }: Stage, { url }: Kind, count: number): Promise<void> {
  const ledger = createLedger(count, () => 'dead')
  await runLoad({ port, key, ledger, rate: Infinity, urls: { ...receivers.urls, dead: url } })
}

async function main(): Promise<void> {
  const number = (name: 'rate' | 'seconds' | 'waiting' | 'rounds') => Number(values[name])
  await using stack = new AsyncDisposableStack()
  const receivers = stack.adopt(await startReceivers(), (started) => started.stop())
  const start = async (behave: (socket: Socket) => void) =>
    stack.adopt(await startBroken(behave), (started) => started.stop()).url
  const kinds: Kind[] = [
    { name: 'refuses connections', url: 'http://127.0.0.1:9' },
    { name: 'never answers', url: receivers.urls.hanging },
    { name: 'drips its answer for ever', url: await start(drip) },
    {
      name: `answers 500, ${number('waiting')} waiting`,
      url: await start((socket) => void socket.write('HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n')),
      waiting: true,
    },
    {
      name: 'answers after 10 s',
      url: await start(
        (socket) =>
          void setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), SLOW_MS),
      ),
    },
    { name: 'has a name that does not resolve', url: 'http://nobody.ringback.invalid' },
  ]
  console.log(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`)
  console.log('| beside a receiver that | p50 alone | p50 | p99 alone | p99 | p99 / alone | spread |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  for (const kind of kinds) {
    await onEmptyDatabase(sqlite, async (startNodes) => {
      const nodes = await startNodes()
      const [port = 0] = nodes.ports
      const key = await createProject(nodes, receivers.urls.healthy)
      const stage = { port, key, receivers, rate: number('rate'), seconds: number('seconds') }
      // What is compiled and opened for the first time is nobody's cost.
      await measure({ ...stage, seconds: 2 }, null)
      const pairs: { alone: number[]; beside: number[] }[] = []
      for (let round = 0; round < number('rounds'); round++) {
        const alone = await measure(stage, null)
        if (kind.waiting && round === 0) await makeBacklog(stage, kind, number('waiting'))
        pairs.push({ alone, beside: await measure(stage, kind) })
      }
      await nodes.stop()
      console.log(rowOf(kind, pairs))
    })
  }
}

function rowOf({ name }: Kind, pairs: { alone: number[]; beside: number[] }[]): string {
  const ms = (which: 'alone' | 'beside', p: number) =>
    `${median(pairs.map((pair) => percentile(pair[which], p))).toFixed(1)} ms`
  const ratios = pairs.map(({ alone, beside }) => percentile(beside, 0.99) / percentile(alone, 0.99))
  const spread = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2)).join('–')
  const cells = [
    name,
    ms('alone', 0.5),
    ms('beside', 0.5),
    ms('alone', 0.99),
    ms('beside', 0.99),
    median(ratios).toFixed(2),
    spread,
  ]
  return `| ${cells.join(' | ')} |`
}

if (values.help) console.log(HELP)
else await runBench(main)
