// The limit of a key, for all dialects (RateLimit header fields for HTTP, draft-ietf-httpapi-ratelimit-headers-10). It runs behind
// whatever hook has found the caller and before the body is read. Each process counts for itself.
import type { FastifyRequest, preParsingHookHandler } from 'fastify'
import { createWindowCounter } from '../dialects/window-counter.ts'
import { AppError } from '../domain/errors.ts'
import type { Rate } from '../domain/project.ts'

/** Makes the hook that counts the requests of a key, tells how many are left, and refuses what is too much. */
export function createApiLimit({ count, window_s }: Rate, now: () => number): preParsingHookHandler {
  const counted = createWindowCounter({ count, window_s })
  const policy = `"key";q=${count};w=${window_s}`
  return ({ caller }: Pick<FastifyRequest, 'caller'>, reply, _payload, done) => {
    if (caller === null) return done()
    const { remaining, resets_at, isOver } = counted(caller.key.id, now())
    const left_s = Math.max(1, Math.ceil((resets_at - now()) / 1000))
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"key";r=${remaining};t=${left_s}`)
    if (!isOver) return done()
    done(
      new AppError('rate_limited', `This key has made ${count} requests in ${window_s} s; try again later`, {
        retry_after_s: left_s,
      }),
    )
  }
}
