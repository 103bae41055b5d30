// Look-ups that arrive together, in one question: on PostgreSQL each would be a round trip, which costs both sides more than
// finding the row does.

/** Makes a look-up that asks at once for all keys of one turn of the event loop; `ask` gives what it found, by key. */
export function gather<T>(
  ask: (keys: string[]) => Promise<ReadonlyMap<string, T>>,
): (key: string) => Promise<T | undefined> {
  let keys = new Set<string>()
  let answer: Promise<ReadonlyMap<string, T>> | undefined

  async function askAll(): Promise<ReadonlyMap<string, T>> {
    await new Promise(setImmediate)
    const gathered = [...keys]
    keys = new Set()
    answer = undefined
    return ask(gathered)
  }

  return async (key) => {
    keys.add(key)
    answer ??= askAll()
    return (await answer).get(key)
  }
}
