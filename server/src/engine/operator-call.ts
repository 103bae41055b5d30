// The request that tells the operator of a destination that paused by itself. Its URL is the operator's own setting, so it
// may go anywhere, and goes there directly.
import { isoTime } from '../domain/time.ts'
import { createOpenConnect } from './egress.ts'
import { createHttpSender } from './http-sender.ts'
import type { TellOperator } from './pause-reporter.ts'
import type { Resolver } from './resolver.ts'

const TIMEOUT_MS = 10_000

/** Makes the call to `url`; `user:password@` in it becomes an `Authorization` header. It holds a socket, so close it. */
export function createOperatorCall({
  url,
  version,
  resolver,
}: {
  url: string
  version: string
  resolver: Resolver
}): {
  tell: TellOperator
  close: () => Promise<void>
} {
  const sender = createHttpSender({ egress: { connect: createOpenConnect(resolver) } })
  return {
    async tell({ id, project_id, mode, key, paused_at, failing_since, waiting }) {
      const body = JSON.stringify({
        id: `${id}.${paused_at}`,
        type: 'destination.paused',
        timestamp: isoTime(paused_at ?? 0),
        destination: {
          id,
          project_id,
          mode,
          origin: key,
          failing_since: isoTime(failing_since ?? 0),
          waiting,
        },
      })
      const headers = { 'content-type': 'application/json', 'user-agent': `Ringback/${version}` }
      const outcome = await sender.send({ url, lane: 'operator', headers, body, timeout_ms: TIMEOUT_MS })
      if (outcome.kind !== 'delivered')
        throw new Error(outcome.error ?? `RINGBACK_OPERATOR_URL answered ${outcome.status}`)
    },
    close: () => sender.close(),
  }
}
