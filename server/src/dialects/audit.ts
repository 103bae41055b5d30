// Who a request's act is written down for: the holder of the project's key, or else of the admin key.
import type { FastifyRequest } from 'fastify'
import { newAudit, type Act, type Audit, type AuditSubject } from '../domain/audit.ts'

/** Makes the audit of what a request does; its project and mode are those of the key unless told. Behind the key's hook only. */
export function auditOf(
  { caller, ip }: Pick<FastifyRequest, 'caller' | 'ip'>,
  { newId }: { newId: () => string },
  act: Act,
  subject: AuditSubject,
): Audit {
  return caller === null
    ? newAudit(newId(), act, { actor: 'admin', address: ip }, subject)
    : newAudit(
        newId(),
        act,
        { actor: 'key', key_id: caller.key.id, address: ip },
        { ...caller.scope, ...subject },
      )
}
