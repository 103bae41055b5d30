// Short decimal ids, as super.AI shows them: counted for each project and mode, in a record. A process takes a block at a time
// and gives it out from memory, so that not every job waits for the counter; what it has left when it ends is never used.
import type { Scope } from '../../domain/project.ts'
import type { Store } from '../../store/store.ts'

export type Numbers = {
  /** The next number of this sequence. */
  take(scope: Scope, sequence: 'job' | 'operation'): Promise<string>
}

const KIND = 'number'
const BLOCK = 100

type Block = { next: number; end: number }

/** Makes a source of numbers. */
export function createNumbers(
  store: Pick<Store, 'now' | 'findRecord' | 'insertRecord' | 'updateRecord'>,
): Numbers {
  const blocks = new Map<string, Promise<Block>>()

  /** Moves the counter on; whoever loses a race looks again. */
  async function takeBlock(scope: Scope, key: string): Promise<Block> {
    for (;;) {
      const record = await store.findRecord(scope, KIND, key)
      const now = store.now()
      const next = record === undefined ? 1 : Number(record.body)
      const after = { body: String(next + BLOCK), updated_at: now }
      const taken =
        record === undefined
          ? (
              await store.insertRecord({
                ...scope,
                ...after,
                kind: KIND,
                key,
                created_at: now,
                due_at: null,
                expires_at: null,
                version: 1,
              })
            ).kind === 'created'
          : await store.updateRecord({ ...record, ...after, version: record.version + 1 })
      if (taken) return { next, end: next + BLOCK }
    }
  }

  return {
    async take(scope, sequence) {
      const name = `${scope.project_id}/${scope.mode}/${sequence}`
      for (;;) {
        const taking = blocks.get(name) ?? takeBlock(scope, sequence)
        blocks.set(name, taking)
        const forget = () => {
          if (blocks.get(name) === taking) blocks.delete(name)
        }
        const block = await taking.catch((error: unknown) => {
          forget()
          throw error
        })
        if (block.next < block.end) return String(block.next++)
        forget()
      }
    },
  }
}
