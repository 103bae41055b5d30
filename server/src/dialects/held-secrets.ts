// The secrets that an attempt may use: those of its mode that hold at its time. While a rotation lasts there are several.
import { isHolding, type Mode, type Secret, type SecretKind } from '../domain/project.ts'

/** The values of a project's secrets of a kind that hold for a mode at `now` (milliseconds), newest first. */
export function heldSecrets(
  secrets: readonly Secret[],
  { kind, mode, now }: { kind: SecretKind; mode: Mode; now: number },
): string[] {
  const values: string[] = []
  for (const secret of secrets) {
    if (secret.kind !== kind || (secret.mode !== null && secret.mode !== mode)) continue
    if (isHolding(secret, now)) values.push(secret.value)
  }
  return values
}
