// What the engine must know of a project at every attempt, read at most once a second. The look-up is synchronous as long
// as there is traffic: a promise for every delivery would cost more than the cache saves.
import type { RetryPolicy } from '../domain/delivery.ts'
import type { Project, Secret } from '../domain/project.ts'
import type { Store } from '../store/store.ts'

/** A project's terms of delivery: its settings, its secrets, newest first, and its dialect's policy for it. */
export type Terms = { project: Project; secrets: readonly Secret[]; policy: RetryPolicy }

export type TermsCache = {
  /** What is known and fresh; otherwise `load` it. */
  get(project_id: string): Terms | undefined
  /** Reads the terms, once for all who ask meanwhile. Rejects when the store does, or has no such project. */
  load(project_id: string): Promise<Terms>
  /** Reads the terms anew from now on. */
  forget(project_id: string): void
}

// A setting or secret that another process changed takes effect within this time.
const FRESH_MS = 1000
// From here on a use reads them anew in the background, so that steady traffic never waits.
const REFRESH_MS = 500
const MOST_PROJECTS = 10_000

/** Makes the cache. */
export function createTermsCache({
  store,
  policy,
  now,
}: {
  store: Pick<Store, 'findProject' | 'secrets'>
  policy: (project: Project) => RetryPolicy
  now: () => number
}): TermsCache {
  const known = new Map<string, { terms: Terms; read_at: number }>()
  const loading = new Map<string, Promise<Terms>>()
  let forgotten = 0

  async function read(project_id: string): Promise<Terms> {
    const read_at = now()
    const before = forgotten
    const [project, secrets] = await Promise.all([store.findProject(project_id), store.secrets(project_id)])
    if (project === undefined) throw new Error(`there is no project ${project_id}`)
    const terms = { project, secrets, policy: policy(project) }
    // What was read before a change must not outlive it.
    if (forgotten !== before) return terms
    known.delete(project_id)
    known.set(project_id, { terms, read_at })
    for (const [oldest] of known) {
      if (known.size <= MOST_PROJECTS) break
      known.delete(oldest)
    }
    return terms
  }

  function load(project_id: string): Promise<Terms> {
    const underWay = loading.get(project_id)
    if (underWay !== undefined) return underWay
    const promise = read(project_id).finally(() => {
      // After a change somebody may be reading it anew.
      if (loading.get(project_id) === promise) loading.delete(project_id)
    })
    loading.set(project_id, promise)
    return promise
  }

  return {
    get(project_id) {
      const entry = known.get(project_id)
      if (entry === undefined) return undefined
      const age_ms = now() - entry.read_at
      if (age_ms >= FRESH_MS) return undefined
      // Whoever needs the terms when this fails loads them again and sees why.
      if (age_ms >= REFRESH_MS) load(project_id).catch(() => {})
      return entry.terms
    },
    load,
    forget(project_id) {
      forgotten++
      known.delete(project_id)
      loading.delete(project_id)
    },
  }
}
