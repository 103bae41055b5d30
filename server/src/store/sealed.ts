// The two places where sealed texts are stored, and the name that is bound into each.
import type { Secret } from '../domain/project.ts'
import type { Cipher } from './cipher.ts'
import type { Idempotency } from './store.ts'

/** A stored secret as far as its sealing goes. */
export type SealedSecret = Pick<Secret, 'id' | 'project_id' | 'kind' | 'value'>
/** A stored answer as far as its sealing goes. */
export type SealedAnswer = Pick<Idempotency, 'project_id' | 'mode' | 'key' | 'answer'>

/** Sealed rows of both tables. */
export type SealedRows = { secrets: SealedSecret[]; answers: SealedAnswer[] }

const secretName = ({ id, project_id, kind }: SealedSecret) => `secret:${project_id}:${kind}:${id}`
const answerName = ({ project_id, mode, key }: SealedAnswer) => `answer:${project_id}:${mode}:${key}`

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

/** Throws WrongSecretKeyError unless the cipher opens all of these. */
export function assertOpens(cipher: Cipher, { secrets, answers }: SealedRows): void {
  for (const secret of secrets) openSecret(cipher, secret)
  for (const answer of answers) openAnswer(cipher, answer)
}
