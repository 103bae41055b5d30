// The bench's hold on its sink process.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { OK } from './http-requests.ts'
import type { Arrival, SinkAnswer, SinkRequest } from './sink.ts'

export type Sink = {
  url: string
  /** Forgets what arrived; from now on every request is answered with `answer`, and `count` of them are awaited. */
  expect(count: number, answer?: string): Promise<void>
  /** What arrived, once all expected callbacks did or the time is up. */
  collect(timeout_ms: number): Promise<Arrival[]>
  stop(): Promise<void>
}

/** Starts the sink on a free port of the loopback address. */
export async function startSink(): Promise<Sink> {
  const child = fork(fileURLToPath(new URL('sink.ts', import.meta.url)))
  async function answerOf<K extends SinkAnswer['kind']>(kind: K): Promise<Extract<SinkAnswer, { kind: K }>> {
    const [answer] = (await once(child, 'message')) as [SinkAnswer]
    if (answer.kind !== kind) throw new Error(`the sink said ${answer.kind} instead of ${kind}`)
    return answer as Extract<SinkAnswer, { kind: K }>
  }
  const ask = (request: SinkRequest) => child.send(request)
  const { port } = await answerOf('listening')
  return {
    url: `http://127.0.0.1:${port}/callbacks`,
    async expect(count, answer = OK) {
      ask({ kind: 'expect', count, answer })
      await answerOf('expecting')
    },
    async collect(timeout_ms) {
      ask({ kind: 'collect', timeout_ms })
      return (await answerOf('collected')).arrivals
    },
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
