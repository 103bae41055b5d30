// The limit of a team (contract §6.2): one counter for all keys of a project, in windows that begin with their first request. Each
// process counts for itself.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import type { Rate } from '../../domain/project.ts'
import { callerOf } from '../caller.ts'
import { createWindowCounter } from '../window-counter.ts'

/** Makes the hook that counts a request behind the one that finds its caller, and refuses what is too much. */
export function createTeamLimit(rate: Rate | null, now: () => number) {
  const counted = rate === null ? null : createWindowCounter(rate)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (rate === null || counted === null) return
    const { remaining, resets_at, isOver } = counted(callerOf(request).project.id, now())
    reply.header('x-ratelimit-limit', rate.count)
    reply.header('x-ratelimit-remaining', remaining)
    reply.header('x-ratelimit-reset', Math.ceil(resets_at / 1000))
    if (!isOver) return
    const retry_after_s = Math.ceil((resets_at - now()) / 1000)
    throw new AppError('rate_limited', 'Rate limit exceeded', { retry_after_s })
  }
}
