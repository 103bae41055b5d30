// A small cache for what is made from settings or secrets and is cheap to make again.

// The bound is only there because projects may be many and their rules may change.
const CACHE_LIMIT = 1000

/** What the cache has under this key, or what `make` makes for it. */
export function cached<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const found = cache.get(key)
  if (found !== undefined) return found
  if (cache.size >= CACHE_LIMIT) cache.clear()
  const made = make()
  cache.set(key, made)
  return made
}
