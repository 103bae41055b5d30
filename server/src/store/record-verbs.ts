// The verbs of records: what a dialect keeps, and work that is due at a time.
import type { Cipher } from './cipher.ts'
import type { Access } from './project-verbs.ts'
import { sealedOrNull } from './sealed.ts'
import type { Store } from './store.ts'

type RecordVerbs = Pick<
  Store,
  | 'insertRecord'
  | 'findRecord'
  | 'listRecords'
  | 'updateRecord'
  | 'deleteRecord'
  | 'claimRecord'
  | 'nextRecordDue'
>

/** Makes the verbs; `due` is told when a record is. */
export function recordVerbs({
  read,
  write,
  cipher,
  due,
}: Access & { cipher: Cipher; due: (due_at: number) => void }): RecordVerbs {
  return {
    async insertRecord(record, idempotency) {
      const result = await write(
        'insertRecord',
        { record, idempotency: sealedOrNull(cipher, idempotency) },
        { asker: record.project_id, bytes: 512 + record.body.length },
      )
      if (result.kind === 'created' && record.due_at !== null) due(record.due_at)
      return result
    },
    findRecord: async ({ project_id, mode }, kind, key) =>
      (await read('findRecord', { project_id, mode, kind, key })) ?? undefined,
    listRecords: (scope, kind, page) => read('listRecords', { scope, kind, page }),
    async updateRecord(record) {
      const { project_id, body, due_at } = record
      const written = await write('updateRecord', { record }, { asker: project_id, bytes: 512 + body.length })
      if (written && due_at !== null) due(due_at)
      return written
    },
    deleteRecord: ({ project_id, mode }, kind, key) =>
      write('deleteRecord', { record: { project_id, mode, kind, key } }, { asker: project_id }),
    claimRecord: async (lease_ms, except = []) =>
      (await write('claimRecord', { lease_ms, except })) ?? undefined,
    nextRecordDue: (except = []) => read('nextRecordDue', { except }),
  }
}
