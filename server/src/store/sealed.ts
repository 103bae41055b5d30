// The places where sealed texts are stored, and the name that is bound into each.
import type { Secret } from '../domain/project.ts'
import type { Cipher } from './cipher.ts'
import type { Idempotency } from './store.ts'

/** A stored secret as far as its sealing goes. */
export type SealedSecret = Pick<Secret, 'id' | 'project_id' | 'kind' | 'value'>
/** A stored answer as far as its sealing goes. */
export type SealedAnswer = Pick<Idempotency, 'project_id' | 'mode' | 'key' | 'answer'>

/** A stored token of the vault, as far as its sealing goes. */
export type SealedToken = { id: string; project_id: string; value: string }
/** A stored call that still has to tell its callback id. */
export type SealedCall = { task_id: string; callback_id: string }

/** Sealed rows of all tables. */
export type SealedRows = {
  secrets: SealedSecret[]
  answers: SealedAnswer[]
  tokens: SealedToken[]
  calls: SealedCall[]
}

const secretName = ({ id, project_id, kind }: SealedSecret) => `secret:${project_id}:${kind}:${id}`
const answerName = ({ project_id, mode, key }: SealedAnswer) => `answer:${project_id}:${mode}:${key}`

const tokenName = ({ id, project_id }: SealedToken) => `token:${project_id}:${id}`
const callName = ({ task_id }: Pick<SealedCall, 'task_id'>) => `callback:${task_id}`

export const sealSecret = <T extends SealedSecret>(cipher: Cipher, secret: T): T => ({
  ...secret,
  value: cipher.seal(secret.value, secretName(secret)),
})

/** Throws WrongSecretKeyError, as the others that open do. */
export const openSecret = <T extends SealedSecret>(cipher: Cipher, secret: T): T => ({
  ...secret,
  value: cipher.open(secret.value, secretName(secret)),
})

/** An answer may show a one-time secret, so it is sealed like one. */
export const sealAnswer = <T extends SealedAnswer>(cipher: Cipher, answer: T): T => ({
  ...answer,
  answer: cipher.seal(answer.answer, answerName(answer)),
})

export const sealedOrNull = <T extends SealedAnswer>(
  cipher: Cipher,
  answer: T | null | undefined,
): T | null => (answer ? sealAnswer(cipher, answer) : null)

export const openAnswer = <T extends SealedAnswer>(cipher: Cipher, answer: T): T => ({
  ...answer,
  answer: cipher.open(answer.answer, answerName(answer)),
})

export const sealToken = <T extends SealedToken>(cipher: Cipher, token: T): T => ({
  ...token,
  value: cipher.seal(token.value, tokenName(token)),
})

export const openToken = <T extends SealedToken>(cipher: Cipher, token: T): T => ({
  ...token,
  value: cipher.open(token.value, tokenName(token)),
})

/** A call may have no callback id to seal. */
export const sealCall = <T extends { task_id: string; callback_id: string | null }>(
  cipher: Cipher,
  call: T,
): T =>
  call.callback_id === null ? call : { ...call, callback_id: cipher.seal(call.callback_id, callName(call)) }

export const openCall = <T extends { task_id: string; callback_id: string | null }>(
  cipher: Cipher,
  call: T,
): T =>
  call.callback_id === null ? call : { ...call, callback_id: cipher.open(call.callback_id, callName(call)) }

/** Throws WrongSecretKeyError unless the cipher opens all of these. */
export function assertOpens(cipher: Cipher, { secrets, answers, tokens, calls }: SealedRows): void {
  for (const secret of secrets) openSecret(cipher, secret)
  for (const answer of answers) openAnswer(cipher, answer)
  for (const token of tokens) openToken(cipher, token)
  for (const call of calls) openCall(cipher, call)
}
