// How callbacks are retried (contract §5.5): eight times within a day, each wait about three times the one before. A project
// whose `retry` is another than the platform's gets waits that fill its own window.
import type { RetryPolicy } from '../../domain/delivery.ts'
import type { Project, ProjectSettings } from '../../domain/project.ts'
import { cached } from '../cached.ts'
import { createRetryPolicy } from '../retry-policy.ts'

const HOUR_S = 3600
const platformWaits = [30, 90, 270, 810, 2430, 2 * HOUR_S, 6 * HOUR_S, 14.5 * HOUR_S].map((s) => s * 1000)

/** What the platform's customers were told to expect. */
export const platformSettings = {
  retry: { retries: platformWaits.length, window_s: 24 * HOUR_S },
  timeout_ms: 30_000,
} as const satisfies Partial<ProjectSettings>

const isPlatforms = ({ retries, window_s }: ProjectSettings['retry']) =>
  retries === platformSettings.retry.retries && window_s === platformSettings.retry.window_s

/** Makes the function that gives a project's policy. No answer of a receiver ends the retries but a 2xx. */
export function createPolicy(): (project: Project) => RetryPolicy {
  const ownPolicy = createRetryPolicy(() => true)
  const platformPolicies = new Map<string, RetryPolicy>()
  return (project) => {
    const { retry, timeout_ms } = project.settings
    if (!isPlatforms(retry)) return ownPolicy(project)
    return cached(platformPolicies, String(timeout_ms), () => ({
      ...ownPolicy(project),
      waits: platformWaits,
    }))
  }
}
