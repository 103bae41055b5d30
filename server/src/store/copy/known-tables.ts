// The tables that a copy takes, as the migrations make them in a fresh database in memory. So a table or column that a
// migration adds is copied without a word here; what only PostgreSQL has is not, which a test keeps an eye on.
import { bulk, type Bulk, type ColumnType, type Row } from '../database.ts'
import { migrate } from '../migrate.ts'
import { list } from '../sql/columns.ts'
import { openSqlite } from '../sqlite-database.ts'

/** A table of ours: its columns, and those of them that make its primary key. */
export type Table = { name: string; columns: Bulk['columns']; key: readonly string[]; insert: Bulk }

const COLUMNS = `select t.name as table_name, c.name, lower(c.type) as type, c.pk from sqlite_master t join pragma_table_info(t.name) c
  where t.type = 'table' and t.name <> 'schema_migrations' and t.name not like 'sqlite_%' order by t.name, c.cid`

/** Reads the tables of this program's schema, by name. */
export async function knownTables(): Promise<Table[]> {
  const database = openSqlite(':memory:', { readonly: false })
  try {
    await migrate(database)
    const columns = await database.read((tx) => tx.all(COLUMNS))
    return [...Map.groupBy(columns, ({ table_name }) => String(table_name))].map(toTable)
  } finally {
    await database.close()
  }
}

function toTable([name, rows]: [string, Row[]]): Table {
  const columns = Object.fromEntries(rows.map((row) => [String(row.name), typeOf(row, name)]))
  const key = rows
    .filter(({ pk }) => Number(pk) > 0)
    .toSorted((a, b) => Number(a.pk) - Number(b.pk))
    .map((row) => String(row.name))
  if (key.length === 0) throw new Error(`table ${name} has no primary key to walk along`)
  return {
    name,
    columns,
    key,
    insert: bulk(
      columns,
      (v) => `insert into ${name} (${list(columns)}) select ${list(columns, 'v')} from ${v}`,
    ),
  }
}

function typeOf({ name, type }: Row, table: string): ColumnType {
  if (type === 'text' || type === 'bigint') return type
  throw new Error(`column ${table}.${name} is ${type}, neither text nor bigint`)
}
