// How callbacks are retried (contract §4.5): up to twenty times within a day. A project whose `retry` is another than that gets
// waits that fill its own window.
import type { RetryPolicy } from '../../domain/delivery.ts'
import { defaultSettings, type Project } from '../../domain/project.ts'
import { createRetryPolicy } from '../retry-policy.ts'

// 15 s doubling up to 7080 s: 20 waits of 23 h 45 min 45 s together.
const WAITS_MS = Array.from({ length: 20 }, (_, retry) => Math.min(15 * 2 ** retry, 7080) * 1000)

const isScales = ({ retry }: Project['settings']) =>
  retry.retries === defaultSettings.retry.retries && retry.window_s === defaultSettings.retry.window_s

/** Makes the function that gives a project's policy. No answer of a receiver ends the retries but a 2xx. */
export function createPolicy(): (project: Project) => RetryPolicy {
  const ownPolicy = createRetryPolicy(() => true)
  return (project) => {
    const policy = ownPolicy(project)
    return isScales(project.settings) ? { ...policy, waits: WAITS_MS } : policy
  }
}
