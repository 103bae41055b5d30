// A record is a thing that only one dialect has, such as a batch or an import. The core keeps it and knows when somebody has
// to look at it again; what it means is its dialect's affair.
import type { Scope } from './project.ts'

/**
 * A record as stored, named by its kind and key within a project's mode. `body` is JSON text, times are milliseconds.
 * `due_at` is when it is claimed (null: never), `expires_at` from when on it may be gone. `version` grows with every write.
 */
export type StoredRecord = Scope & {
  kind: string
  key: string
  body: string
  created_at: number
  updated_at: number
  due_at: number | null
  expires_at: number | null
  version: number
}
