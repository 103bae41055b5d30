// The limit of a team (contract §6.2): one counter for all keys of a project, in windows that begin with their first request. Each
// process counts for itself.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import type { Rate } from '../../domain/project.ts'
import { callerOf } from '../caller.ts'

/** A team's window after a request was counted in it. */
export type Counted = { remaining: number; resets_at: number; isOver: boolean }

// Past it windows that are over are dropped; so many that are not cost some megabytes.
const TEAMS_MAX = 10_000

/** Makes the counter; `now` is in milliseconds. */
export function createTeamCounter({ count, window_s }: Rate): (team: string, now: number) => Counted {
  const windows = new Map<string, { used: number; resets_at: number }>()
  return (team, now) => {
    const found = windows.get(team)
    const isFresh = found !== undefined && found.resets_at > now
    const window = isFresh ? found : { used: 0, resets_at: now + window_s * 1000 }
    if (!isFresh && windows.size >= TEAMS_MAX) {
      for (const [other, { resets_at }] of windows) if (resets_at <= now) windows.delete(other)
    }
    const isOver = window.used >= count
    if (!isOver) window.used++
    windows.set(team, window)
    return { remaining: count - window.used, resets_at: window.resets_at, isOver }
  }
}

/** Makes the hook that counts a request behind the one that finds its caller, and refuses what is too much. */
export function createTeamLimit(rate: Rate | null, now: () => number) {
  const counted = rate === null ? null : createTeamCounter(rate)
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
