// The verbs of projects, keys, secrets and audits: what must be read again is sealed here on its way in, and opened on its way out.
import type { Cipher } from './cipher.ts'
import type { ReadArgs, ReadResult, ReadVerb } from './driver.ts'
import { gather } from './gather.ts'
import type { WriteOptions } from './group-commit.ts'
import {
  openAnswer,
  openCall,
  openSecret,
  openToken,
  sealAnswer,
  sealCall,
  sealedOrNull,
  sealSecret,
  sealToken,
  type SealedRows,
} from './sealed.ts'
import type { Resealing } from './sql/sealing.ts'
import type { WriteInput, WriteResult, WriteVerb } from './sql/verbs.ts'
import type { Store } from './store.ts'

type ProjectVerbs = Pick<
  Store,
  | 'createProject'
  | 'updateProject'
  | 'findProject'
  | 'listProjects'
  | 'listHosts'
  | 'createKey'
  | 'revokeKey'
  | 'listKeys'
  | 'findKey'
  | 'secrets'
  | 'rotateSecret'
  | 'findIdempotency'
  | 'reseal'
  | 'recordKeyUses'
  | 'recordAudit'
  | 'listAudits'
>

/** How the verbs reach the database. */
export type Access = {
  read: <V extends ReadVerb>(verb: V, args: ReadArgs<V>) => Promise<ReadResult<V>>
  write: <V extends WriteVerb>(
    verb: V,
    input: WriteInput<V>,
    options?: WriteOptions,
  ) => Promise<WriteResult<V>>
}

// Little enough that commits wait a few milliseconds behind it.
const RESEAL_ROOM = { rows: 200, bytes: 1024 * 1024 }
const REMAINING_MAX = 10_000

/** Makes the verbs; `onChanged` hears of each project whose settings or secrets are others than before. */
export function projectVerbs({
  read,
  write,
  cipher,
  onChanged,
}: Access & { cipher: Cipher; onChanged: (project_id: string) => void }): ProjectVerbs {
  const findSecrets = gather(async (project_ids) => {
    const rows = await read('secrets', { project_ids })
    return Map.groupBy(rows, ({ project_id }) => project_id)
  })

  return {
    createProject: ({ project, keys, secrets, idempotency, audit = null }) =>
      write('createProject', {
        project,
        keys,
        secrets: secrets.map((secret) => sealSecret(cipher, secret)),
        idempotency: sealedOrNull(cipher, idempotency),
        audit,
      }),
    async updateProject(project_id, settings, audit = null) {
      const project = await write('updateProject', { project_id, settings, audit })
      onChanged(project_id)
      return project ?? undefined
    },
    // A retry of a thousand projects at once would else be as many questions, and everybody's look-ups behind them.
    findProject: gather(async (ids) => {
      const projects = await read('findProjects', { ids })
      return new Map(projects.map((project) => [project.id, project]))
    }),
    listProjects: (page) => read('listProjects', { page }),
    listHosts: () => read('listHosts', undefined as never),
    createKey: (key, idempotency, audit = null) =>
      write('createKey', { key, idempotency: sealedOrNull(cipher, idempotency), audit }),
    revokeKey: (project_id, key_id, audit = null) => write('revokeKey', { project_id, key_id, audit }),
    listKeys: (project_id, page) => read('listKeys', { project_id, page }),
    async recordKeyUses(uses) {
      await write('recordKeyUses', { uses }, { bytes: 128 * uses.length })
    },
    findKey: async (hash) => (await read('findKey', { hash })) ?? undefined,
    async secrets(project_id) {
      const sealed = (await findSecrets(project_id)) ?? []
      // Here, so that one that cannot be opened is nobody's trouble but its project's.
      return sealed.map((secret) => openSecret(cipher, secret))
    },
    async rotateSecret({ secret, older_expire_at, idempotency, audit }) {
      const result = await write('rotateSecret', {
        secret: sealSecret(cipher, secret),
        older_expire_at,
        idempotency: sealedOrNull(cipher, idempotency),
        audit: audit ?? null,
      })
      onChanged(secret.project_id)
      return result
    },
    async findIdempotency(scope, key) {
      const row = await read('findIdempotency', { scope, key })
      return row === null ? undefined : openAnswer(cipher, row)
    },
    async recordAudit(audit) {
      await write('recordAudit', audit)
    },
    listAudits: (filter, page) => read('listAudits', { filter, page }),
    async reseal(audit) {
      const { prefix, key_id } = cipher
      const found = await read('sealedOtherwise', { prefix, room: RESEAL_ROOM })
      const input = { ...resealing(cipher, found), audit: audit ?? null }
      const resealed = await write('reseal', input, { bytes: 2 * RESEAL_ROOM.bytes })
      const remaining = await read('countSealedOtherwise', { prefix, limit: REMAINING_MAX })
      return { key_id, resealed, remaining }
    },
  }
}

const resealing = (
  cipher: Cipher,
  { secrets, answers, tokens, calls }: SealedRows,
): Omit<Resealing, 'audit'> => ({
  secrets: secrets.map((row) => ({ ...sealSecret(cipher, openSecret(cipher, row)), old: row.value })),
  answers: answers.map((row) => ({ ...sealAnswer(cipher, openAnswer(cipher, row)), old: row.answer })),
  tokens: tokens.map((row) => ({ ...sealToken(cipher, openToken(cipher, row)), old: row.value })),
  calls: calls.map((row) => ({ ...sealCall(cipher, openCall(cipher, row)), old: row.callback_id })),
})
