// Changing the key that seals: finding what another key has sealed, and writing it back sealed anew. The walk needs no
// cursor, since what was written back is not found again; whoever is killed on the way just goes on.
import type { Audit } from '../../domain/audit.ts'
import { bulk, type Row, type Transaction } from '../database.ts'
import { PREFIX_CHARS } from '../cipher.ts'
import type { SealedAnswer, SealedCall, SealedRows, SealedSecret, SealedToken } from '../sealed.ts'
import { writeAudits } from './audits.ts'
import type { WriteContext } from './context.ts'

type Table = { name: string; key: string; text: string; prefix: string }

// The prefixes are the expressions of the indexes in migrations 005 and 008, letter by letter; 20 is PREFIX_CHARS.
const secretsTable: Table = { name: 'secrets', key: 'id', text: 'value', prefix: 'substr(value, 1, 20)' }
const answersTable: Table = {
  name: 'idempotency_keys',
  key: 'project_id, mode, key',
  text: 'answer',
  prefix: 'substr(answer, 1, 20)',
}

const tokensTable: Table = { name: 'tokens', key: 'id', text: 'value', prefix: 'substr(value, 1, 20)' }
const callsTable: Table = {
  name: 'calls',
  key: 'task_id',
  text: 'callback_id',
  prefix: 'substr(callback_id, 1, 20)',
}
const tables = [secretsTable, answersTable, tokensTable, callsTable]

// Two ranges, since no index helps to find what differs.
const sides = ['<', '>'] as const

/** What to write back, and the text that it takes the place of. */
export type Resealing = {
  secrets: (SealedSecret & { old: string })[]
  answers: (SealedAnswer & { old: string })[]
  tokens: (SealedToken & { old: string })[]
  calls: (SealedCall & { old: string })[]
  audit: Audit | null
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

const readToken = bulk(
  { id: 'text' },
  (v) => `select t.id, t.project_id, t.value from ${v} join tokens t on t.id = v.id`,
)

const readCall = bulk(
  { task_id: 'text' },
  (v) => `select c.task_id, c.callback_id from ${v} join calls c on c.task_id = v.task_id`,
)

/** As many rows as there is room for of those whose texts do not begin with `prefix`. */
export async function sealedOtherwise(
  tx: Transaction,
  { prefix, room }: { prefix: string; room: StepRoom },
): Promise<SealedRows> {
  const left = { ...room }
  const secrets = await tx.bulk(readSecret, await otherKeys(tx, secretsTable, prefix, left))
  const answers = await tx.bulk(readAnswer, await otherKeys(tx, answersTable, prefix, left))
  const tokens = await tx.bulk(readToken, await otherKeys(tx, tokensTable, prefix, left))
  const calls = await tx.bulk(readCall, await otherKeys(tx, callsTable, prefix, left))
  const isOther = (text: string | null) => text !== null && !text.startsWith(prefix)
  // On PostgreSQL each statement sees what was committed before it, so another process may have been there meanwhile.
  return {
    secrets: (secrets as SealedSecret[]).filter(({ value }) => isOther(value)),
    answers: (answers as SealedAnswer[]).filter(({ answer }) => isOther(answer)),
    tokens: (tokens as SealedToken[]).filter(({ value }) => isOther(value)),
    calls: (calls as SealedCall[]).filter(({ callback_id }) => isOther(callback_id)),
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
  for (const { name, prefix } of tables) {
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

const updateToken = bulk(
  { id: 'text', old: 'text', value: 'text' },
  (v) => `update tokens set value = v.value from ${v}
    where tokens.id = v.id and tokens.value = v.old returning tokens.id`,
)

const updateCall = bulk(
  { task_id: 'text', old: 'text', callback_id: 'text' },
  (v) => `update calls set callback_id = v.callback_id from ${v}
    where calls.task_id = v.task_id and calls.callback_id = v.old returning calls.task_id`,
)

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
const byTask = (a: SealedCall, b: SealedCall) => (a.task_id < b.task_id ? -1 : 1)
const byKey = (a: SealedAnswer, b: SealedAnswer) =>
  `${a.project_id} ${a.mode} ${a.key}` < `${b.project_id} ${b.mode} ${b.key}` ? -1 : 1

/** Writes texts back that are still what they were; returns how many. The audit is told that, too. */
export async function reseal(
  context: WriteContext,
  { secrets, answers, tokens, calls, audit }: Resealing,
): Promise<number> {
  const { tx } = context
  const changed = [
    await tx.bulk(updateSecret, secrets.toSorted(byId)),
    await tx.bulk(updateAnswer, answers.toSorted(byKey)),
    await tx.bulk(updateToken, tokens.toSorted(byId)),
    await tx.bulk(updateCall, calls.toSorted(byTask)),
  ]
  const resealed = changed.flat().length
  if (resealed > 0) await writeAudits(context, [audit && { ...audit, detail: JSON.stringify({ resealed }) }])
  return resealed
}

const tableExists = {
  sqlite: (name: string) => `select 1 from sqlite_master where name = '${name}'`,
  postgres: (name: string) => `select 1 where to_regclass('${name}') is not null`,
}
// Behind all texts of the form that names no key.
const NAMED = 's2.'

/** One row for each key that has sealed something, and table. Also for a database of an older schema, or with none yet. */
export async function sealedByEachKey(tx: Transaction): Promise<SealedRows> {
  return {
    secrets: (await oneOfEachKey(tx, secretsTable)) as SealedSecret[],
    answers: (await oneOfEachKey(tx, answersTable)) as SealedAnswer[],
    tokens: (await oneOfEachKey(tx, tokensTable)) as SealedToken[],
    calls: (await oneOfEachKey(tx, callsTable)) as SealedCall[],
  }
}

async function oneOfEachKey(tx: Transaction, { name, text, prefix }: Table): Promise<Row[]> {
  const rows: Row[] = []
  if ((await tx.all(tableExists[tx.flavor.name](name))).length === 0) return rows
  for (let last = ''; ;) {
    const sql = `select * from ${name} where ${prefix} > $1 order by ${prefix} limit 1`
    const [row] = await tx.all(sql, [last])
    if (row === undefined) return rows
    rows.push(row)
    const found = String(row[text]).slice(0, PREFIX_CHARS)
    last = found < NAMED ? NAMED : found
  }
}
