// Projects of the platform, as far as callbacks touch them (contract §3.5): a name, and the labelling tools that stand in
// every task. A workflow is checked and otherwise left to the operators.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { elements, members } from '../../domain/json.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { answer } from './answer.ts'
import { businessCodes, illegalParameter } from './envelope.ts'
import { fieldsOf, optionalText, readId, requiredText, type Fields } from './fields.ts'
import { presentProject, printProject, PROJECT, projectIdOf, STARTED } from './project-record.ts'

const LONGEST_NAME_BYTES = 60
const DATA_TYPES: ReadonlySet<string | undefined> = new Set(['2', '3'])
const [DISTRIBUTION, COMPLETION] = ['0', '5']

/** Makes the routes of projects. */
export function projectRoutes({ store }: FrontDeps) {
  async function create(request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const { scope } = callerOf(request)
    const fields = fieldsOf(request)
    const name = requiredText(fields, 'name')
    if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) {
      throw illegalParameter(`name: longer than ${LONGEST_NAME_BYTES} bytes`)
    }
    const dataType = fields.get('dataType')
    if (dataType === undefined || !DATA_TYPES.has(dataType)) {
      throw illegalParameter('dataType: must be 2 (2D) or 3 (3D)', businessCodes.wrong_data_type)
    }
    const body = printProject({
      name: JSON.stringify(name),
      dataType,
      description: JSON.stringify(optionalText(fields, 'description') ?? null),
      deadline: JSON.stringify(requiredText(fields, 'deadline')),
      operators: operatorsOf(fields),
    })
    checkWorkflow(fields.get('workflow'))
    const now = store.now()
    const key = projectIdOf(name)
    const row = { ...scope, kind: PROJECT, key, body, created_at: now, updated_at: now }
    const { kind } = await store.insertRecord({ ...row, due_at: null, expires_at: null, version: 1 })
    if (kind !== 'created') {
      throw illegalParameter(`name: there is a project ${name} already`, businessCodes.project_name_taken)
    }
    return answer(reply, { projectId: Number(key), status: STARTED, workflowId: Number(key) })
  }

  async function get(request: FastifyRequest<{ Querystring: { projectId?: unknown } }>, reply: FastifyReply) {
    const { projectId } = request.query
    const id = readId(typeof projectId === 'string' ? projectId : '', 'projectId')
    const record = await store.findRecord(callerOf(request).scope, PROJECT, id)
    if (record === undefined) {
      throw illegalParameter(`projectId: no project ${id} was created`, businessCodes.no_project)
    }
    return answer(reply, presentProject(record))
  }

  return { create, get }
}

function operatorsOf(fields: Fields): string {
  const text = fields.get('operators')
  if (text === undefined || !text.startsWith('[') || !elements(text).every((tool) => tool.startsWith('{'))) {
    throw illegalParameter(
      'operators: must be an array of label tools (objects)',
      businessCodes.bad_operators,
    )
  }
  return text
}

function checkWorkflow(text: string | undefined): void {
  if (text === undefined) return
  const vertex = text.startsWith('{') ? members(text).get('vertex') : undefined
  const pools = vertex?.startsWith('[') === true ? elements(vertex) : []
  if (pools.length === 0 || !pools.every((pool) => pool.startsWith('{'))) {
    throw illegalParameter(
      'workflow: must have a vertex array of pools (objects)',
      businessCodes.bad_workflow,
    )
  }
  const types = pools.map((pool) => members(pool).get('type'))
  if (types[0] !== DISTRIBUTION) {
    throw illegalParameter(
      'workflow.vertex: the first pool must be of type 0 (distribution)',
      businessCodes.first_pool_not_distribution,
    )
  }
  if (types.at(-1) !== COMPLETION) {
    throw illegalParameter(
      'workflow.vertex: the last pool must be of type 5 (completion)',
      businessCodes.last_pool_not_completion,
    )
  }
}
