// The load of the soak: tasks created and resolved by their inbound URLs at an even rate, and a ledger of what became of
// their callbacks. The ledger is a few bytes a task, for a soak may have millions.
import { setTimeout as sleep } from 'node:timers/promises'
import { payload } from './api.ts'
import { check } from './faults.ts'
import { milliseconds } from './figures.ts'
import { openExchange, type Exchange, type LoadAnswer, type LoadRequest } from './http-load.ts'
import type { Accepted, Receiver } from './receivers.ts'

/** Where a task's callback goes; for the dead one nobody listens. */
export type Addressee = Receiver | 'dead'

export type Ledger = {
  /** How many tasks there are; their numbers begin at 0. */
  count: number
  addresseeOf: (number: number) => Addressee
  /** A task is about to be resolved. */
  sent: (number: number) => void
  /** Its callback was accepted. */
  accepted: (accepted: Accepted) => void
  /** Milliseconds from resolution to arrival of the healthy callbacks that came since the last call. */
  takeWaits: () => number[]
  /** How many tasks have a callback that will be accepted. */
  expected: number
  /** How many callbacks were never accepted, and how many more than once or by whom nobody expected. */
  faults: () => { lost: number; doubled: number }
  /** Resolves when all callbacks were accepted, or the time is up. */
  complete: (timeout_ms: number) => Promise<void>
}

/** Makes the ledger of tasks that are not sent yet. */
export function createLedger(count: number, addresseeOf: (number: number) => Addressee): Ledger {
  const sent_at = new Float64Array(count)
  const times = new Uint8Array(count)
  const willAccept = (number: number) => !['hanging', 'dead'].includes(addresseeOf(number))
  let waits: number[] = []
  let missing = 0
  for (let i = 0; i < count; i++) if (willAccept(i)) missing++
  let doubled = 0
  return {
    count,
    addresseeOf,
    expected: missing,
    sent(number) {
      sent_at[number] = milliseconds()
    },
    accepted({ number, at }) {
      if (times[number] !== 0 || !willAccept(number)) doubled++
      else {
        times[number] = 1
        missing--
      }
      if (addresseeOf(number) === 'healthy') waits.push(at - (sent_at[number] ?? 0))
    },
    takeWaits() {
      const taken = waits
      waits = []
      return taken
    },
    faults: () => ({ lost: missing, doubled }),
    async complete(timeout_ms) {
      const until = milliseconds() + timeout_ms
      const isOver = () => missing === 0 || milliseconds() > until
      while (!isOver()) await sleep(100)
    },
  }
}

const CONNECTIONS = 64
const BODY = payload(1024)

/**
 * Creates and resolves the tasks of a ledger, `rate` a second, and gives how many; `urlOf` is the receiver of a task. With
 * `takes` only some of them, at their own times, of which those that are later than `latest_ms` are left out; a `signal` ends it
 * early.
 */
export async function runLoad({
  ports,
  key,
  ledger,
  rate,
  urlOf,
  takes = () => true,
  latest_ms = Infinity,
  signal,
}: {
  ports: readonly number[]
  key: string
  ledger: Ledger
  rate: number
  urlOf: (number: number) => string
  takes?: (number: number) => boolean
  latest_ms?: number
  signal?: AbortSignal
}): Promise<number> {
  const exchanges = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => openExchange(ports[i % ports.length] as number)),
  )
  const started = milliseconds()
  let next = 0
  let resolved = 0
  let refusal: LoadAnswer | undefined
  async function lane(exchange: Exchange): Promise<void> {
    async function send(request: LoadRequest, status: number): Promise<string> {
      const answer = await exchange.send(request)
      if (answer.status !== status) refusal ??= answer
      return answer.body
    }
    for (let number = next++; number < ledger.count && refusal === undefined; number = next++) {
      if (!takes(number)) continue
      const wait_ms = started + (number / rate) * 1000 - milliseconds()
      if (wait_ms < -latest_ms) continue
      if (wait_ms > 0) await sleep(wait_ms)
      if (signal?.aborted === true) return
      const callback_url = `${urlOf(number)}/${number}`
      const created = await send(
        {
          method: 'POST',
          path: '/v1/tasks',
          headers: { authorization: `Bearer ${key}` },
          body: JSON.stringify({ type: 'soak', params: { number }, callback_url }),
        },
        201,
      )
      const { callback_id } = JSON.parse(created) as { callback_id: string }
      ledger.sent(number)
      await send({ method: 'POST', path: `/v1/callbacks/${callback_id}`, body: BODY }, 200)
      resolved++
    }
  }
  await Promise.all(exchanges.map(lane))
  for (const exchange of exchanges) exchange.close()
  check(refusal === undefined, `a request was refused: ${refusal?.status} ${refusal?.body}`)
  return resolved
}
