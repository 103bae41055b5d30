// The flags of a command that become fields of a request. JSON goes on the wire as it was typed, so that its numbers keep
// their spelling; it is only looked at to tell a typing mistake from an answer of the server.
import { print, verbatim, type Printable } from '../../domain/json.ts'
import { isJson } from '../../domain/json-check.ts'
import { flagOf } from '../../config.ts'
import { UsageError, type Flags, type Option } from '../command.ts'

export type Field = {
  doc: string
  /** What the flag's text is: itself, JSON, a whole number, or words with commas between them. */
  kind?: 'json' | 'whole' | 'words'
  form?: string
  choices?: readonly string[]
  required?: true
  /** The member of the body that holds the field. */
  within?: string
}

/** Fields by their names on the wire. */
export type Fields = Readonly<Record<string, Field>>

const forms = { text: 'TEXT', json: 'JSON', whole: 'NUMBER', words: 'WORD,…' }

/** The flags of fields: `expires_in_s` is `--expires-in-s`. */
export const fieldOptions = (fields: Fields): Record<string, Option> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, { doc, kind, form, choices, required }]): [string, Option] => [
      flagOf(name),
      {
        type: 'string',
        form: form ?? forms[kind ?? 'text'],
        doc: required === true ? `${doc} Required.` : doc,
        ...(choices === undefined ? {} : { choices }),
      },
    ]),
  )

/** The body that flags ask for, as JSON text. Throws UsageError for a flag that is missing or not valid. */
export function bodyText(fields: Fields, flags: Flags): string {
  const body: Record<string, Printable> = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = valueOf(name, field, flags[flagOf(name)])
    if (value === undefined) continue
    if (field.within === undefined) body[name] = value
    else body[field.within] = { ...(body[field.within] as Record<string, Printable>), [name]: value }
  }
  return print(body)
}

/** The query that flags ask for. Throws UsageError as `bodyText` does. */
export const queryOf = (fields: Fields, flags: Flags): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const given = flags[flagOf(name)]
      return valueOf(name, field, given) === undefined ? [] : [[name, String(given)]]
    }),
  )

function valueOf(name: string, field: Field, given: Flags[string]): Printable {
  const flag = `--${flagOf(name)}`
  if (typeof given !== 'string') {
    if (field.required === true) throw new UsageError(`${flag} is missing: ${field.doc}`)
    return undefined
  }
  if (field.kind === 'words') return given.split(',')
  if (field.choices !== undefined && !field.choices.includes(given))
    throw new UsageError(`${flag} is not valid: use ${field.choices.join(', ')}`)
  if (field.kind === 'whole' && !/^(0|[1-9]\d{0,15})$/.test(given))
    throw new UsageError(`${flag} is not valid: use a whole number`)
  if (field.kind === 'json' && !isJson(given))
    throw new UsageError(`${flag} is not valid JSON: a text needs quotes of its own, such as '"done"'`)
  return field.kind === undefined ? given : verbatim(given)
}
