// The vault: values for the headers of calls, put in once and never shown again. A header names one by its reference instead.
import type { Audit } from '../domain/audit.ts'
import { AppError } from '../domain/errors.ts'
import type { Scope } from '../domain/project.ts'
import type { Token } from '../store/call-verbs.ts'
import type { Store } from '../store/store.ts'
import type { Sources } from './credentials.ts'

const PREFIX = 'tok_'

/** Whether the value of a header names a token. */
export const isTokenReference = (value: string): boolean => value.startsWith(PREFIX)

/** A new token, which its value still has to be stored with. */
export const draftToken = (
  { now, newId }: Pick<Sources, 'now' | 'newId'>,
  { project_id, mode }: Scope,
  name: string,
): Token => {
  const id = PREFIX + newId().replaceAll('-', '')
  return { id, project_id, mode, name, created_at: now(), revoked_at: null }
}

/** Puts a value into the vault; `auditOf` gives what is written down of it. */
export async function createToken(
  { store, ...sources }: Pick<Sources, 'now' | 'newId'> & { store: Pick<Store, 'createToken'> },
  scope: Scope,
  { name, value }: { name: string; value: string },
  auditOf: (id: string) => Audit,
): Promise<Token> {
  const token = draftToken(sources, scope, name)
  await store.createToken({ ...token, value }, null, auditOf(token.id))
  return token
}

/** Throws `invalid_request` naming `field` unless every token that these headers name exists and is not revoked. */
export async function assertTokens(
  store: Pick<Store, 'findTokens'>,
  scope: Scope,
  headers: Readonly<Record<string, string>>,
  field: string,
): Promise<void> {
  const named = Object.entries(headers).filter(([, value]) => isTokenReference(value))
  if (named.length === 0) return
  const tokens = await store.findTokens(
    scope,
    named.map(([, value]) => value),
  )
  const usable = new Set(tokens.flatMap(({ id, value }) => (value === null ? [] : id)))
  for (const [name, value] of named) {
    if (!usable.has(value))
      throw new AppError('invalid_request', `${field}.${name}: there is no token ${value}; it may be revoked`)
  }
}
