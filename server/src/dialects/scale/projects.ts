// The routes of Scale's projects (contract §2.5).
import { AppError } from '../../domain/errors.ts'
import { joinMembers, type Printable } from '../../domain/json.ts'
import { callerOf } from '../caller.ts'
import type { FrontDeps } from '../front.ts'
import { answering } from './answer.ts'
import { bodyOf, booleanField, objectField, requiredName } from './fields.ts'
import {
  presentProject,
  projectOf,
  projectParams,
  readProject,
  withParams,
  type ScaleProject,
} from './project.ts'
import { changeRecord, newRecord, recordsOf } from './record.ts'
import { taskTypeOf } from './task-types.ts'

/** Makes the routes under /v1/projects. */
export function projectRoutes({ store }: FrontDeps) {
  return {
    create: answering(async (request) => {
      const { scope } = callerOf(request)
      const body = bodyOf(request)
      const name = requiredName(body, 'name')
      const type = requiredName(body, 'type')
      taskTypeOf(type)
      const params = objectField(body, 'params')
      const now = store.now()
      const empty: ScaleProject = { type, versions: [] }
      const project = params === '{}' ? empty : withParams(empty, params, now)
      const record = newRecord(scope, 'project', name, { body: JSON.stringify(project), now })
      if ((await store.insertRecord(record)).kind === 'created') return presentProject(record)
      throw new AppError('conflict', `name: there is a project ${name} already; take another name`)
    }),
    list: answering(async (request) => {
      const projects: Printable[] = []
      for await (const record of recordsOf(store, callerOf(request).scope, 'project')) {
        projects.push(presentProject(record))
      }
      return projects
    }),
    get: answering(async (request) => {
      const { record } = await projectOf(store, callerOf(request).scope, request.params.name)
      return presentProject(record)
    }),
    setParams: answering(async (request) => {
      const { values, texts: params } = bodyOf(request)
      const patch = booleanField(values, 'patch') ?? false
      params.delete('patch')
      const named = { ...callerOf(request).scope, kind: 'project', key: request.params.name } as const
      const record = await changeRecord(store, named, (record) => {
        const project = readProject(record)
        const next = patch ? new Map([...projectParams(project), ...params]) : params
        return { body: JSON.stringify(withParams(project, joinMembers(next), store.now())) }
      })
      return presentProject(record)
    }),
  }
}
