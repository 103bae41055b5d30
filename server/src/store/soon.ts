// For whoever watches the server: it is worth more to hear in time that the database is silent than to wait for its answer.
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../domain/errors.ts'

const SOON_MS = 3000

/** The answer, if it comes within three seconds; else rejects with `store_unavailable`. */
export async function soon<T>(answer: Promise<T>): Promise<T> {
  const late = new AbortController()
  const { signal } = late
  const silence = delay(SOON_MS, undefined, { signal, ref: false }).then(() => {
    throw new AppError('store_unavailable', 'The database is silent; try again soon')
  })
  try {
    return await Promise.race([answer, silence])
  } finally {
    silence.catch(() => {})
    late.abort()
  }
}
