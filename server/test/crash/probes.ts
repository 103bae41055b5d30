// How long others wait: callbacks to a receiver of their own, begun at an even pace whatever else goes on, each timed from the
// request that completes its task to its arrival.
import { startReceiver, type Receiver } from '../support/receiver.ts'
import type { Api } from './api.ts'

export type Probes = {
  receiver: Receiver
  /** Begins a probe every few milliseconds over this connection; `stop` gives the delays in milliseconds. */
  run(api: Api): { stop(): number[] }
  /** Tasks whose completion was acknowledged and whose callback has not come. */
  missing(): string[]
}

const EVERY_MS = 20

/** Starts the receiver of the probes. */
export async function startProbes(): Promise<Probes> {
  const arrived = new Map<string, number>()
  const acknowledged: string[] = []
  const receiver = await startReceiver((_request, response, body) => {
    const { task_id } = JSON.parse(body) as { task_id: string }
    if (!arrived.has(task_id)) arrived.set(task_id, performance.now())
    response.end()
  })

  /** Makes one probe; it may meet the end of its server. */
  async function probe(api: Api, begun: Map<string, number>): Promise<void> {
    const created = await api.send('POST', '/v1/tasks', { callback_url: receiver.url })
    if (created?.status !== 201) return
    const { id } = created.body as { id: string }
    begun.set(id, performance.now())
    const completed = await api.send('POST', `/v1/tasks/${id}/complete`, { response: 'probe' })
    if (completed?.status === 200) acknowledged.push(id)
  }

  return {
    receiver,
    run(api) {
      const begun = new Map<string, number>()
      const timer = setInterval(() => void probe(api, begun), EVERY_MS)
      return {
        stop() {
          clearInterval(timer)
          return [...begun].flatMap(([id, began_at]) => {
            const arrived_at = arrived.get(id)
            return arrived_at === undefined ? [] : arrived_at - began_at
          })
        },
      }
    },
    missing: () => acknowledged.filter((id) => !arrived.has(id)),
  }
}

/** The value in milliseconds that a share (0–1) of the delays is not above, rounded to tenths. */
export function percentile(delays: readonly number[], share: number): number | null {
  const sorted = delays.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  return value === undefined ? null : Math.round(value * 10) / 10
}
