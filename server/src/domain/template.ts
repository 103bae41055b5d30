// The templates of poll URLs: `{startResult.body.<path>}` stands for a value of the answer to the target call.
import { isJson } from './json-check.ts'
import { plainText, valuesAt } from './json-path.ts'

const PLACEHOLDER = /\{startResult\.body\.([^{}]+)\}/g
const MOST_PLACEHOLDERS = 8
// Of a template as of a value.
const MOST_CHARACTERS = 2048

/** A template that cannot be filled; the message names the placeholder. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TemplateError'
  }
}

/**
 * Fills templates of URLs from the text of an answer. A value with which a URL begins is taken as it is; any other is
 * percent-encoded, so that no provider's id leads to another path. Throws TemplateError.
 */
export function fillTemplates(templates: readonly string[], answer: string): string[] {
  const paths = templates.flatMap((template) =>
    Array.from(template.matchAll(PLACEHOLDER), ([, path = '']) => path),
  )
  const values = isJson(answer) ? valuesAt(answer, paths) : new Map<string, string>()
  return templates.map((template) => fill(template, values))
}

const fill = (template: string, values: ReadonlyMap<string, string>): string =>
  template.replace(PLACEHOLDER, (placeholder, path: string, offset: number) => {
    const value = plainText(values.get(path))
    if (value === undefined || value === '')
      throw new TemplateError(`The answer has nothing at "${path}", which ${placeholder} stands for.`)
    if (value.length > MOST_CHARACTERS)
      throw new TemplateError(
        `What stands at "${path}" in the answer is longer than ${MOST_CHARACTERS} characters.`,
      )
    if (offset === 0) return value
    if (!value.isWellFormed() || value === '.' || value === '..')
      throw new TemplateError(`What stands at "${path}" in the answer cannot be a part of a URL.`)
    return encodeURIComponent(value)
  })

/**
 * Where a template leads, whatever it is filled with: its URL without path. Undefined where a placeholder has a say in it, or
 * where it is no URL.
 */
export function originOf(template: string): URL | undefined {
  const [origin] = /^https?:\/\/[^/?#\\{}]+(?=[/?#\\]|$)/i.exec(template) ?? []
  return (origin === undefined ? null : URL.parse(origin)) ?? undefined
}

/** What is wrong with a template, whatever it is filled with; undefined when nothing is. */
export function templateFault(template: string): string | undefined {
  if (template.length > MOST_CHARACTERS) return `longer than ${MOST_CHARACTERS} characters`
  if ((template.match(PLACEHOLDER)?.length ?? 0) > MOST_PLACEHOLDERS)
    return `has more than ${MOST_PLACEHOLDERS} placeholders`
  const rest = template.replaceAll(PLACEHOLDER, '')
  if (/[{}]/.test(rest)) return 'has braces that are no {startResult.body.<path>}'
  if (!template.startsWith('{') && !/^https?:\/\//i.test(template))
    return 'begins neither with http:// or https:// nor with {startResult.body.<path>}'
  return undefined
}
