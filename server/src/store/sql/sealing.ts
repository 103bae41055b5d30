// Changing the key that seals: finding what another key has sealed, and writing it back sealed anew. The walk needs no
// cursor, since what was written back is not found again; whoever is killed on the way just goes on.
import { bulk, type Row, type Transaction } from '../database.ts'
import { PREFIX_CHARS } from '../cipher.ts'
import type { SealedAnswer, SealedRows, SealedSecret } from '../sealed.ts'
import type { WriteContext } from './context.ts'

type Table = { name: string; key: string; text: string; prefix: string }

// The prefixes are the expressions of the indexes in migrations/005-sealing.sql, letter by letter; 20 is PREFIX_CHARS.
const secretsTable: Table = { name: 'secrets', key: 'id', text: 'value', prefix: 'substr(value, 1, 20)' }
const answersTable: Table = {
  name: 'idempotency_keys',
  key: 'project_id, mode, key',
  text: 'answer',
  prefix: 'substr(answer, 1, 20)',
}

// Two ranges, since no index helps to find what differs.
const sides = ['<', '>'] as const

/** What to write back, and the text that it takes the place of. */
export type Resealing = {
  secrets: (SealedSecret & { old: string })[]
  answers: (SealedAnswer & { old: string })[]
}

/** What one step may hold; the first row is taken whatever its size, since an answer may be long. */
export type StepRoom = { rows: number; bytes: number }

const readSecret = bulk(
  { id: 'text' },
  (v) => `select s.id, s.project_id, s.kind, s.value from ${v} join secrets s on s.id = v.id`,
)

const readAnswer = bulk(
  { project_id: 'text', mode: 'text', key: 'text' },
  (v) => `select i.project_id, i.mode, i.key, i.answer from ${v}
    join idempotency_keys i on i.project_id = v.project_id and i.mode = v.mode and i.key = v.key`,
)

/** As many rows as there is room for of those whose texts do not begin with `prefix`. */
export async function sealedOtherwise(
  tx: Transaction,
  { prefix, room }: { prefix: string; room: StepRoom },
): Promise<SealedRows> {
  const left = { ...room }
  const secrets = await tx.bulk(readSecret, await otherKeys(tx, secretsTable, prefix, left))
  const answers = await tx.bulk(readAnswer, await otherKeys(tx, answersTable, prefix, left))
  // On PostgreSQL each statement sees what was committed before it, so another process may have been there meanwhile.
  return {
    secrets: (secrets as SealedSecret[]).filter(({ value }) => !value.startsWith(prefix)),
    answers: (answers as SealedAnswer[]).filter(({ answer }) => !answer.startsWith(prefix)),
  }
}

/** The keys of such rows of one table; takes their room. */
async function otherKeys(tx: Transaction, table: Table, own: string, left: StepRoom): Promise<Row[]> {
  const { name, key, text, prefix } = table
  const keys: Row[] = []
  for (const side of sides) {
    const sql = `select ${key}, octet_length(${text}) as bytes from ${name} where ${prefix} ${side} $1 limit $2`
    for (const row of await tx.all(sql, [own, left.rows])) {
      if (left.bytes <= 0) break
      left.rows--
      left.bytes -= Number(row.bytes)
      keys.push(row)
    }
  }
  return keys
}

/** How many rows do not begin with `prefix`; counts no further than `limit`. */
export async function countSealedOtherwise(
  tx: Transaction,
  { prefix: own, limit }: { prefix: string; limit: number },
): Promise<number> {
  let count = 0
  for (const { name, prefix } of [secretsTable, answersTable]) {
    for (const side of sides) {
      const found = `select 1 from ${name} where ${prefix} ${side} $1 limit $2`
      const [row] = await tx.all(`select count(*) as count from (${found}) as found`, [own, limit - count])
      count += Number(row?.count)
    }
  }
  return count
}

const updateSecret = bulk(
  { id: 'text', old: 'text', value: 'text' },
  (v) => `update secrets set value = v.value from ${v}
    where secrets.id = v.id and secrets.value = v.old returning secrets.id`,
)

const updateAnswer = bulk(
  { project_id: 'text', mode: 'text', key: 'text', old: 'text', answer: 'text' },
  (v) => `update idempotency_keys set answer = v.answer from ${v}
    where idempotency_keys.project_id = v.project_id and idempotency_keys.mode = v.mode
      and idempotency_keys.key = v.key and idempotency_keys.answer = v.old returning idempotency_keys.key`,
)

const byId = (a: SealedSecret, b: SealedSecret) => (a.id < b.id ? -1 : 1)
const byKey = (a: SealedAnswer, b: SealedAnswer) =>
  `${a.project_id} ${a.mode} ${a.key}` < `${b.project_id} ${b.mode} ${b.key}` ? -1 : 1

/** Writes texts back that are still what they were; returns how many. */
export async function reseal({ tx }: WriteContext, { secrets, answers }: Resealing): Promise<number> {
  const changed = await tx.bulk(updateSecret, secrets.toSorted(byId))
  const changedAnswers = await tx.bulk(updateAnswer, answers.toSorted(byKey))
  return changed.length + changedAnswers.length
}

const tablesExist = {
  sqlite: `select 1 from sqlite_master where name = 'idempotency_keys'`,
  postgres: `select 1 where to_regclass('idempotency_keys') is not null`,
}
// Behind all texts of the form that names no key.
const NAMED = 's2.'

/** One row for each key that has sealed something. Also for a database of an older schema, or with none yet. */
export async function sealedByEachKey(tx: Transaction): Promise<SealedRows> {
  if ((await tx.all(tablesExist[tx.flavor.name])).length === 0) return { secrets: [], answers: [] }
  const secrets = await oneOfEachKey(tx, secretsTable)
  const answers = await oneOfEachKey(tx, answersTable)
  return { secrets: secrets as SealedSecret[], answers: answers as SealedAnswer[] }
}

async function oneOfEachKey(tx: Transaction, { name, text, prefix }: Table): Promise<Row[]> {
  const rows: Row[] = []
  for (let last = ''; ;) {
    const sql = `select * from ${name} where ${prefix} > $1 order by ${prefix} limit 1`
    const [row] = await tx.all(sql, [last])
    if (row === undefined) return rows
    rows.push(row)
    const found = String(row[text]).slice(0, PREFIX_CHARS)
    last = found < NAMED ? NAMED : found
  }
}
