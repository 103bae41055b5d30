// Forms: the documented curl examples post `application/x-www-form-urlencoded` with repeated keys and brackets. A form becomes
// the JSON that it stands for before anything else looks at it; that its values are texts is for the readers of fields.
import type { FastifyRequest } from 'fastify'
import { parse } from 'qs'
import { AppError } from '../../domain/errors.ts'
import { hasNul } from '../../domain/json.ts'

const LIMITS = { arrayLimit: 1000, parameterLimit: 10_000, depth: 20 }

/** The parser of forms: keeps the JSON that a form stands for in `request.text`. */
export async function parseForm(request: FastifyRequest, text: string | Buffer): Promise<unknown> {
  const form = text.toString()
  let value: unknown
  try {
    value = parse(form, { ...LIMITS, strictDepth: true, throwOnLimitExceeded: true, plainObjects: true })
  } catch (error) {
    throw new AppError('invalid_request', `The form is too large or too deep: ${String(error)}`)
  }
  request.text = JSON.stringify(value)
  if (hasNul(request.text)) throw new AppError('invalid_request', 'The form has a NUL (%00); remove it')
  return value
}
