// The one way in which commands call a running server: flags become a request, the answer becomes lines or stays JSON.
import { text as readText } from 'node:stream/consumers'
import type { Client } from '@ringback/sdk'
import { members } from '../../domain/json.ts'
import { flagOf } from '../../config.ts'
import { defineCommand, jsonOption, UsageError, type Argument, type Command, type Flags } from '../command.ts'
import { screenOf, type Screen } from '../screen.ts'
import { table, type Cell, type Column } from '../table.ts'
import { exchange } from './exchange.ts'
import { bodyText, fieldOptions, queryOf, type Fields } from './fields.ts'
import { record } from './record.ts'
import { serverOf, serverOptions, type Caller } from './server.ts'

/** Writes an answer, a JSON text, for people. */
export type Show = (answer: string, screen: Screen, now: number) => string

/** A command that makes one call. */
export type Calling = {
  name: string
  summary: string
  caller?: Caller
  args?: readonly Argument[]
  /** Flags that become the body; the call has none without them. */
  body?: Fields
  /**
   * The field of the body that is read from standard input: for what must be seen neither in the shell's history nor in the list of
   * processes.
   */
  secret?: string
  /** Flags that become the query. */
  query?: Fields
  call: (client: Client, given: { args: readonly string[]; body: unknown; query: object }) => Promise<unknown>
  /** How the answer looks; a line a field unless told otherwise. */
  show?: Show
  /** The ids in the answer, for --quiet; a command without them has no such flag. */
  ids?: (answer: string) => string[]
}

/** The flags of every list. */
export const pageFields: Fields = {
  limit: { doc: 'Rows of a page, 1 to 100; 20 by default.', kind: 'whole' },
  cursor: { doc: 'Where to go on: next_cursor of the page before.' },
}

/** Makes a command of a call. */
export function clientCommand(calling: Calling): Command {
  const { name, summary, caller = 'project', args = [], body, secret, query = {} } = calling
  const { call, show = record, ids } = calling
  return defineCommand({
    name,
    summary,
    args,
    settings: [],
    options: {
      ...fieldOptions({ ...body, ...query }),
      json: jsonOption,
      ...(ids === undefined ? {} : { quiet: { type: 'boolean', doc: 'Print ids only, one a line.' } }),
      ...serverOptions(caller),
    },
    async run(flags, args) {
      checkIds(args)
      const read = secret === undefined ? undefined : await readSecret(name, secret)
      const text =
        body === undefined ? undefined : bodyText({ ...body, ...read?.fields }, { ...flags, ...read?.flags })
      const given = {
        args,
        body: text === undefined ? undefined : (JSON.parse(text) as unknown),
        query: queryOf(query, flags),
      }
      const answer = await exchange(
        serverOf(flags, process.env, caller),
        (client) => call(client, given),
        text,
      )
      if (flags['json'] === true) return print(answer)
      if (flags['quiet'] === true && ids !== undefined) return print(ids(answer).join('\n'))
      print(show(answer, screenOf(process.stdout, process.env), Date.now()))
      tellOfMore(answer)
    },
  })
}

/** Refuses an id that is no segment of a path: it would call another route. Throws UsageError. */
export function checkIds(args: readonly string[]): void {
  const bad = args.find((arg) => ['', '.', '..'].includes(arg))
  if (bad !== undefined) throw new UsageError(`'${bad}' is no id`)
}

/** Reads a field from standard input, less the line break at its end. Throws UsageError where a person would have to type it. */
async function readSecret(command: string, field: string): Promise<{ fields: Fields; flags: Flags }> {
  const typed = process.stdin.isTTY ? '' : await readText(process.stdin)
  const value = typed.replace(/\r?\n$/, '')
  if (value === '')
    throw new UsageError(
      `the ${field} is read from standard input: printf %s "$${field.toUpperCase()}" | ringback ${command} …`,
    )
  return { fields: { [field]: { doc: '' } }, flags: { [flagOf(field)]: value } }
}

/** Prints what there is, and no empty line for nothing. */
const print = (text: string) => {
  if (text !== '') console.log(text)
}

/** Notes on a list go where they do not mix with its rows. */
function tellOfMore(answer: string): void {
  if (answer === '') return
  const list = members(answer)
  if (list.get('data') === '[]') console.error('There are none.')
  const cursor = JSON.parse(list.get('next_cursor') ?? 'null') as string | null
  if (cursor !== null) console.error(`There are more: --cursor ${cursor}`)
}

/** A column of a list: its head, and what it shows of a row. */
export type ListColumn<T> = Column & { of: (row: T, now: number) => Cell }

/** Shows a page as a table. */
export const list =
  <T>(columns: readonly ListColumn<T>[]): Show =>
  (answer, screen, now) => {
    const { data } = JSON.parse(answer) as { data: T[] }
    if (data.length === 0) return ''
    return table(
      columns,
      data.map((row) => columns.map(({ of }) => of(row, now))),
      screen,
    )
  }

/** The ids of a page. */
export const idsOfPage = (answer: string): string[] =>
  (JSON.parse(answer) as { data: { id: string }[] }).data.map(({ id }) => id)

/** The id of one object. */
export const idOf = (answer: string): string[] => [(JSON.parse(answer) as { id: string }).id]
