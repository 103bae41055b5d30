// The retry policy of dialects whose platforms publish no plan of their own: the project's `retry` settings decide.
import type { RetryPolicy } from '../domain/delivery.ts'
import type { Project } from '../domain/project.ts'
import { waits } from '../domain/retry.ts'
import { cached } from './cached.ts'

/** Makes the function that gives a project's policy; the same settings give the same policy. */
export function createRetryPolicy(
  retryable: RetryPolicy['retryable'],
): (project: Pick<Project, 'settings'>) => RetryPolicy {
  const policies = new Map<string, RetryPolicy>()
  return ({ settings: { retry, timeout_ms } }) =>
    cached(policies, `${retry.retries}/${retry.window_s}/${timeout_ms}`, () => {
      const window_ms = retry.window_s * 1000
      return { waits: waits({ retries: retry.retries, window_ms }), retryable, timeout_ms, window_ms }
    })
}
