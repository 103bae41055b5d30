// What the body of a request for a key asks for, judged: what the key may do, and until when.
import type { Static } from 'typebox'
import type { Dialect } from '../dialects/dialect.ts'
import { AppError } from '../domain/errors.ts'
import { scopesOfRole, type Key, type KeyScope } from '../domain/key.ts'
import type { CreateKey } from './schemas/project.ts'
import { timeOf } from './time.ts'

type Body = Static<typeof CreateKey>

/** What a key is made with. Throws `invalid_request` that names field and remedy; `now` is in milliseconds. */
export function newKeyOf(
  body: Body,
  dialect: Pick<Dialect, 'name' | 'front'>,
  now: number,
): Pick<Key, 'mode' | 'role' | 'name' | 'scopes' | 'expires_at'> {
  const { mode = 'live', role = 'customer', name = null } = body
  return { mode, role, name, scopes: scopesFor(body, role, dialect), expires_at: endOf(body, now) }
}

function scopesFor(
  { scopes }: Body,
  role: Key['role'],
  { name, front }: Pick<Dialect, 'name' | 'front'>,
): readonly KeyScope[] | null {
  if (scopes === undefined) return null
  if (scopes.length === 0) {
    throw new AppError('invalid_request', 'scopes: are none; name what the key may do, or leave them out')
  }
  const repeated = scopes.find((scope, i) => scopes.indexOf(scope) !== i)
  if (repeated !== undefined)
    throw new AppError('invalid_request', `scopes: ${repeated} stands there twice; name each once`)
  if (role === 'customer' && front !== null) {
    throw new AppError(
      'invalid_request',
      `scopes: a customer's key of the dialect ${name} is for ${front.mount}, where scopes do not hold; leave them out`,
    )
  }
  const foreign = scopes.find((scope) => !scopesOfRole[role].includes(scope))
  if (foreign === undefined) return scopes
  throw new AppError(
    'invalid_request',
    `scopes: a key with the role ${role} cannot have ${foreign}; leave it out, or make a key with the role operator`,
  )
}

function endOf({ expires_at, expires_in_s }: Body, now: number): number | null {
  if (expires_in_s !== undefined && expires_at !== undefined) {
    throw new AppError('invalid_request', 'expires_in_s: expires_at is given, too; give one of them')
  }
  if (expires_in_s !== undefined) return now + expires_in_s * 1000
  if (expires_at === undefined) return null
  const end = timeOf('expires_at', expires_at)
  if (end > now) return end
  throw new AppError('invalid_request', 'expires_at: has passed already; give a later time')
}
