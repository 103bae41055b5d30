// A task from a customer's body (contract §2.2): what is common to all types is taken out, everything else is its `params`, with
// those of its project beneath. A test task is completed with a filler in the write that creates it, and shown as it was before.
import type { FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { joinMembers, print, type Printable } from '../../domain/json.ts'
import type { Mode, Scope } from '../../domain/project.ts'
import type { CreateResult, Idempotency } from '../../store/store.ts'
import { callerOf } from '../caller.ts'
import { draftTask, type NewTask } from '../create-task.ts'
import type { FrontDeps } from '../front.ts'
import { answering, type Handler } from './answer.ts'
import { batchOf, reopenBatch, wakeBatch, type Found } from './batch.ts'
import { extrasText, labelsOf, type Extras } from './extras.ts'
import {
  bodyOf,
  booleanField,
  nameField,
  objectField,
  tagsOf,
  urlField,
  wholeField,
  type Body,
} from './fields.ts'
import { scaleId } from './id.ts'
import { presentTask } from './present.ts'
import { projectOf, projectParams } from './project.ts'
import { uniqueIdTaken } from './task.ts'
import { checkInputs, taskTypeOf, type Inputs } from './task-types.ts'

// What all types have in common; the instruction stays among the params.
const COMMON = new Set([
  'callback_url',
  'project',
  'batch',
  'metadata',
  'unique_id',
  'clear_unique_id_on_error',
  'priority',
  'tags',
  'urgency',
])
const PRIORITY = { low: -1_000_000, high: 1_000_000 }
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/

/** Makes the handler of `POST /v1/task/:type`. */
export const createRoute = (deps: FrontDeps): Handler =>
  answering(async (request) => {
    const caller = callerOf(request)
    const { type } = request.params
    const { defaults = {} } = taskTypeOf(type)
    const body = bodyOf(request)
    const idempotency = idempotencyOf(request, caller.scope)
    const { of, extras, beneath } = await extrasFrom(deps, caller.scope, body)

    const params = new Map(beneath)
    for (const [name, text] of body.texts) if (!COMMON.has(name)) params.set(name, text)
    for (const [name, value] of Object.entries(defaults))
      if (!params.has(name)) params.set(name, print(value))
    const text = joinMembers(params)
    const inputs = JSON.parse(text) as Inputs
    checkInputs(type, inputs)

    const id = deps.newId()
    const unique_id = nameField(body, 'unique_id')
    const draft = await draftTask(deps, caller, {
      id,
      external_id: scaleId(id),
      type,
      params: text,
      metadata: objectField(body, 'metadata'),
      unique_id,
      callback_url: urlField(body, 'callback_url'),
      ext: extrasText(extras),
    })
    const guard = { idempotency, labels: labelsOf(extras) }
    if (of !== null) await wakeBatch(deps, of)
    checkCreated(await write(deps, draft, guard, taskTypeOf(type).response(inputs)), unique_id)
    if (of !== null) await reopenBatch(deps, of)
    return presentTask(draft.task)
  })

/** The fields that are Scale's own, the task's batch, and the params of its project. Throws `not_found` for an unknown project or batch. */
async function extrasFrom(
  deps: FrontDeps,
  scope: Scope,
  body: Body,
): Promise<{ of: Found | null; extras: Extras; beneath: Map<string, string> }> {
  const { store } = deps
  const batch = nameField(body, 'batch')
  const priority = wholeField(body.values, 'priority', PRIORITY)
  const urgency = nameField(body, 'urgency')
  const clear = booleanField(body.values, 'clear_unique_id_on_error')
  const tags = body.values['tags'] == null ? undefined : tagsOf(body.values['tags'])
  const of = batch === null ? null : await batchOf(store, scope, batch)
  const project = nameField(body, 'project') ?? of?.batch.project ?? null
  if (of !== null && project !== of.batch.project) {
    throw new AppError(
      'invalid_request',
      `project: the batch ${batch} belongs to the project ${of.batch.project}; leave project out`,
    )
  }
  const beneath =
    project === null ? new Map() : projectParams((await projectOf(store, scope, project)).project)
  return {
    of,
    beneath,
    extras: {
      ...(project === null ? {} : { project }),
      ...(batch === null ? {} : { batch }),
      ...(priority === undefined ? {} : { priority }),
      ...(urgency === null ? {} : { urgency }),
      ...(tags === undefined ? {} : { tags }),
      ...(clear === true ? { clear_unique_id_on_error: true } : {}),
    },
  }
}

type Guard = { idempotency: Idempotency | null; labels: readonly string[] }

/** Writes the task; one in test mode, together with its completion: nobody will ever work on it. */
function write(
  { store, verbs }: FrontDeps,
  draft: NewTask,
  guard: Guard,
  filler: Printable,
): Promise<CreateResult> {
  const { mode }: { mode: Mode } = draft.task
  return mode === 'test'
    ? verbs.createApplied({ ...draft, ...guard }, 'complete', { response: print(filler) })
    : store.createTask({ ...draft, ...guard })
}

function checkCreated(result: CreateResult, unique_id: string | null): void {
  switch (result.kind) {
    case 'created':
      return
    case 'unique_id_taken':
      throw uniqueIdTaken(unique_id, result.task_id)
    case 'idempotency_key_taken':
      throw new AppError(
        'conflict',
        'Idempotency-Key: was used for another creation; find what that made, or take a new key',
      )
  }
}

/** The row that keeps a creation from being made twice: the name of its key, and no answer, as it is only ever refused. */
function idempotencyOf({ headers }: FastifyRequest, scope: Scope): Idempotency | null {
  const key = headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || !IDEMPOTENCY_KEY.test(key)) {
    throw new AppError('invalid_request', 'Idempotency-Key: must be 1 to 255 visible ASCII characters')
  }
  return { ...scope, key: `scale:${key}`, request_hash: '', status: 409, answer: '' }
}
