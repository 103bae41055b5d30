// What may be wrong with an answer. The rules of the native API are those of its document; a dialect's customers must meet nothing
// but their platform's words.
import { Compile } from 'typebox/schema'
import { problems } from '../../src/domain/errors.ts'
import type { Request } from './request.ts'
import type { Document, Operation, Schema } from './routes.ts'
import { resolved } from './values.ts'
import type { Answer } from './wire.ts'

export type Checker = {
  /** Says in a sentence each what is wrong. */
  faultsOf(request: Request, answer: Answer): string[]
}

// Of each dialect's refusals, all members there are.
const refusals: Readonly<Record<string, readonly string[]>> = {
  '/asyncqueue': ['error'],
  '/scale': ['error', 'status_code'],
  '/stardust': ['code', 'data', 'date', 'message', 'requestId', 'success'],
  '/superai': ['message'],
}

/** Parses a body; undefined when it is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a call was refused. Stardust says so in a 200, too. */
export function isRefused({ status, text }: Answer, { route }: Request): boolean {
  if (status >= 400) return true
  return route.mount === '/stardust' && (parsed(text) as { success?: boolean } | undefined)?.success === false
}

/** Makes a checker of what this document says. */
export function createChecker(document: Document): Checker {
  const compiled = new Map<Schema, ReturnType<typeof Compile>>()
  const validatorOf = (schema: Schema) => {
    const validator =
      compiled.get(schema) ?? Compile({ ...schema, components: document.components } as object)
    compiled.set(schema, validator)
    return validator
  }

  function documentFaults({ responses }: Operation, { status, headers, text }: Answer): string[] {
    const response = responses[status] ?? (status >= 400 ? responses['default'] : undefined)
    if (response === undefined) return [`the document knows no ${status} of it`]
    const type = headers.get('content-type')?.split(';', 1)[0] ?? ''
    const [content] = Object.entries(response.content ?? {})
    if (content === undefined) return text === '' ? [] : ['the document says that it has no body']
    const [named, { schema }] = content
    if (type !== named) return [`its type is ${type || 'missing'}, and in the document ${named}`]
    const untold = membersUntold(document, schema, parsed(text))
    if (untold.length > 0) return [`the document does not tell of ${untold.join(', ')}`]
    const [valid, errors] = validatorOf(schema).Errors(parsed(text))
    return valid ? [] : [`it is not what the document says: ${JSON.stringify(errors.slice(0, 3))}`]
  }

  return {
    faultsOf(request, answer) {
      const { operation, mount, path } = request.route
      const { status, headers, text } = answer
      const faults: string[] = []
      if (status >= 500 && status !== 503) faults.push(`the status is ${status}`)
      if (!(status >= 200 && status < 600)) faults.push(`the status is ${status}`)
      if (request.method === 'HEAD') return faults
      if (headers.get('content-type')?.startsWith('application/problem+json') === true)
        faults.push(...problemFaults(answer))
      if (headers.get('x-content-type-options') !== 'nosniff')
        faults.push('x-content-type-options is missing')
      if (!request.isForRoute) return faults
      if (operation !== undefined) faults.push(...documentFaults(operation, answer))
      else if (mount !== '' && !path.includes('/callbacks/') && isRefused(answer, request)) {
        const names = Object.keys(parsed(text) ?? {}).toSorted()
        if (names.join() !== refusals[mount]?.join())
          faults.push(`a refusal of ${mount} has the members ${names.join() || 'of no JSON'}`)
      }
      return faults
    },
  }
}

/** The members of an answer that no schema names, as far as schemas name any. */
function membersUntold(document: Document, schema: Schema, value: unknown): string[] {
  if (Array.isArray(value)) {
    const items = partsOf(document, schema).find((part) => part.items !== undefined)?.items
    return items === undefined ? [] : value.flatMap((item) => membersUntold(document, items, item))
  }
  if (typeof value !== 'object' || value === null) return []
  const parts = partsOf(document, schema)
  const properties = Object.assign({}, ...parts.map((part) => part.properties)) as Record<string, Schema>
  if (Object.keys(properties).length === 0 || parts.some((part) => part.additionalProperties === true))
    return []
  return Object.entries(value).flatMap(([name, member]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    return property === undefined ? [name] : membersUntold(document, property, member)
  })
}

/** What a schema is made up of. */
function partsOf(document: Document, given: Schema): Schema[] {
  const schema = resolved(document, given)
  return [
    schema,
    ...[...(schema.allOf ?? []), ...(schema.anyOf ?? [])].flatMap((part) => partsOf(document, part)),
  ]
}

function problemFaults({ status, text }: Answer): string[] {
  const problem = parsed(text) as
    | { type: string; title: string; status: number; detail: string; code: string }
    | undefined
  const known = Object.hasOwn(problems, problem?.code ?? '')
    ? problems[problem?.code as keyof typeof problems]
    : undefined
  if (problem === undefined || known === undefined) return ['it is a problem without a code of the table']
  const isSame =
    problem.status === status &&
    known.status === status &&
    problem.title === known.title &&
    problem.type === `urn:ringback:problem:${problem.code}` &&
    typeof problem.detail === 'string' &&
    problem.detail !== ''
  return isSame ? [] : ['it is not the problem that its code stands for']
}
