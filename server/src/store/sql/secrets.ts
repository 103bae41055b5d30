// Secrets and their rotation; they arrive here sealed. Of each kind and mode one is current (it never expires), and those
// before it hold on until their grace ends.
import { HOLDING_SECRETS_MAX, type Secret } from '../../domain/project.ts'
import { bulk, type Transaction } from '../database.ts'
import type { RotateResult, RotateSecret } from '../store.ts'
import { writeAudits } from './audits.ts'
import type { WriteContext } from './context.ts'
import { dropIdempotency, takeIdempotency } from './idempotency.ts'

const insertSecret = bulk(
  {
    id: 'text',
    project_id: 'text',
    kind: 'text',
    mode: 'text',
    value: 'text',
    created_at: 'bigint',
    expires_at: 'bigint',
  },
  (v) => `insert into secrets (id, project_id, kind, mode, value, created_at, expires_at)
    select v.id, v.project_id, v.kind, v.mode, v.value, v.created_at, v.expires_at from ${v}`,
)

/** Inserts secrets as they are. */
export const insertSecrets = (tx: Transaction, secrets: Secret[]) => tx.bulk(insertSecret, secrets)

const sameKind = 'project_id = $1 and kind = $2 and mode is not distinct from $3'

/** Makes a secret the current one of its kind. The lock on the project lets one rotation after the other count. */
export async function rotateSecret(
  context: WriteContext,
  { secret, older_expire_at, idempotency, audit }: RotateSecret,
): Promise<RotateResult> {
  const { tx, now } = context
  const { project_id, kind, mode } = secret
  const guards = idempotency === null ? [] : [idempotency]
  await tx.all(`select id from projects where id = $1 ${tx.flavor.forUpdate}`, [project_id])
  if ((await takeIdempotency(context, guards)).size > 0) return 'idempotency_key_taken'
  const holding = await tx.all(
    `select id from secrets where ${sameKind} and (expires_at is null or expires_at > $4)`,
    [project_id, kind, mode, now],
  )
  if (older_expire_at > now && holding.length >= HOLDING_SECRETS_MAX) {
    await dropIdempotency(tx, guards)
    return 'too_many'
  }
  await tx.all(
    `update secrets set expires_at = $4 where ${sameKind} and (expires_at is null or expires_at > $4)`,
    [project_id, kind, mode, older_expire_at],
  )
  await tx.all('delete from secrets where project_id = $1 and expires_at <= $2', [project_id, now])
  await insertSecrets(tx, [secret])
  await writeAudits(context, [audit])
  return 'rotated'
}
