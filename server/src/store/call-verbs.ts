// The verbs of calls and of the vault: the seam's part for tasks that have something called for them.
import type { Audit } from '../domain/audit.ts'
import type { Call } from '../domain/call.ts'
import type { CallChange } from '../domain/call-step.ts'
import type { Attempt } from '../domain/delivery.ts'
import type { Page, PageRequest } from '../domain/page.ts'
import type { Scope } from '../domain/project.ts'
import type { Task } from '../domain/task.ts'
import type { Cipher } from './cipher.ts'
import type { Access } from './project-verbs.ts'
import { openCall, openToken, sealedOrNull, sealToken } from './sealed.ts'
import type { ClaimRequest, ClaimResult } from './claiming.ts'
import type { Destination, Idempotency } from './store.ts'

/** A call that this process holds a lease of, with its task as it was when the lease was taken. */
export type ReadyCall = Call & { id: string; task: Task }

/** A new task's call; `callback_id` is the plain text, which the store seals. */
export type NewCall = Pick<Call, 'url' | 'callback_id' | 'priority' | 'timeout_ms'> & {
  due_at: number
  destination: Destination
}

/** The end of an attempt: guarded by the fence of its lease. `attempt` is null when nothing was sent. */
export type SettleCall = {
  call: Pick<Call, 'project_id' | 'task_id' | 'fence'>
  change: CallChange
  /** Where the next call goes, if elsewhere than this one. */
  destination: Destination | null
  attempt: Attempt | null
}

/** What a verb does to its task's call, in the same transaction; a task without one has nothing done to it. */
export type CallWrite =
  | ({ kind: 'settle' } & SettleCall)
  /** Nothing more is called; an attempt under way has lost its lease. */
  | { kind: 'end' }
  /** Nothing more is begun until it is resumed. */
  | { kind: 'hold' }
  | { kind: 'resume' }
  /** Begins again with the request. */
  | ({ kind: 'restart' } & NewCall)

/** A token of the vault, without its value. */
export type Token = Scope & { id: string; name: string; created_at: number; revoked_at: number | null }

export interface CallStore {
  /** Leases due calls to this process, due destinations first, a few of each, those of higher priority before others. */
  claimCalls(request: ClaimRequest): Promise<ClaimResult<ReadyCall>>
  /**
   * Writes an attempt that changes nothing of its task; false when the lease's fence holds no more. Of an attempt whose call was
   * ended meanwhile the log is written all the same.
   */
  settleCall(input: SettleCall): Promise<boolean>
  /** Calls whose leases ran out; `lost_boots` adds those of earlier processes when this one has the database to itself. */
  lostCalls(limit: number, lost_boots: boolean): Promise<ReadyCall[]>
  /** A page of the attempts of a task's calls, in order; of polls the last hundred are kept. */
  listCallAttempts(task_id: string, page: PageRequest): Promise<Page<Attempt>>

  /** Puts a value into the vault; false when the idempotency key is taken. */
  createToken(
    token: Token & { value: string },
    idempotency?: Idempotency | null,
    audit?: Audit | null,
  ): Promise<boolean>
  /** A page of tokens that are not revoked, newest first. */
  listTokens(scope: Scope, page: PageRequest): Promise<Page<Token>>
  /** Those of these tokens that exist, with the values of those that are not revoked. */
  findTokens(scope: Scope, ids: readonly string[]): Promise<(Token & { value: string | null })[]>
  /** Revokes a token at `revoked_at` and forgets its value; the token as it is then, or undefined when there is none. */
  revokeToken(scope: Scope, id: string, revoked_at: number, audit?: Audit | null): Promise<Token | undefined>
}

/** Makes the verbs; `wake` is told when something is pending. */
export function callVerbs({
  read,
  write,
  cipher,
  lost,
  wake,
}: Access & {
  cipher: Cipher
  /** What `lostCalls` and `lostLeases` have in common. */
  lost: (
    limit: number,
    lost_boots: boolean,
  ) => { now: number; owner: string; limit: number; lost_boots: boolean }
  wake: (due_at: number) => void
}): CallStore {
  const opened = (ready: ReadyCall) => openCall(cipher, ready)
  return {
    async claimCalls(request) {
      const result = await write('claimCalls', request)
      return { ...result, claimed: result.claimed.map(opened) }
    },
    async settleCall(input) {
      const held = await write('settleCall', input, {
        asker: input.call.project_id,
        task_ids: [input.call.task_id],
        bytes: 1024 + (input.attempt?.response_body?.length ?? 0),
        patient: true,
      })
      const { due_at } = input.change
      if (held && due_at !== null) wake(due_at)
      return held
    },
    lostCalls: async (limit, lost_boots) => (await read('lostCalls', lost(limit, lost_boots))).map(opened),
    listCallAttempts: (task_id, page) => read('listCallAttempts', { task_id, page }),

    createToken: (token, idempotency, audit = null) =>
      write(
        'createToken',
        { token: sealToken(cipher, token), idempotency: sealedOrNull(cipher, idempotency), audit },
        { bytes: 512 + token.value.length },
      ),
    listTokens: (scope, page) => read('listTokens', { scope, page }),
    async findTokens(scope, ids) {
      if (ids.length === 0) return []
      const rows = await read('findTokens', { scope, ids })
      return rows.map((row) => (row.value === null ? row : openToken(cipher, { ...row, value: row.value })))
    },
    revokeToken: async (scope, id, revoked_at, audit = null) =>
      (await write('revokeToken', { scope, id, revoked_at, audit })) ?? undefined,
  }
}
