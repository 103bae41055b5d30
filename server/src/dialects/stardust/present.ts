// The task object (contract §3.3), in answers and frozen into callbacks, and its shorter relative in lists (§3.4), which has
// other names for the same things. Fields that only the platform's own workshop could fill are there and empty.
import { valuesAt } from '../../domain/json-path.ts'
import { Verbatim, verbatim, type Printable } from '../../domain/json.ts'
import type { Task } from '../../domain/task.ts'
import { readExt } from './ext.ts'
import { statusNumber } from './status.ts'
import { wallTime } from './wall-time.ts'

type Fields = { readonly [field: string]: Printable }

/** The number that customers know a task by. */
export const publicId = ({ id, external_id }: Pick<Task, 'id' | 'external_id'>): string => external_id ?? id

// What a result has whoever made it.
const emptyResult = { annotations: '[]', issues: '[]', hints: '[]', metadata: '{}' }

/** A worker's response as a result: its own text, with the members that every result has added where it has none. */
export function presentResult(response: string | null): Verbatim | null {
  if (response === null || !response.startsWith('{')) return verbatim(response)
  const given = valuesAt(response, Object.keys(emptyResult))
  const added = Object.entries(emptyResult)
    .filter(([name]) => !given.has(name))
    .map(([name, empty]) => `"${name}":${empty}`)
  return new Verbatim(`{${[response.slice(1, -1), ...added].filter((text) => text !== '').join(',')}}`)
}

/**
 * The whole task at a time. `status` is a number in answers and a word in callbacks (contract §5.4). The id of the AccessKey
 * stands last: callbacks are signed in its name.
 */
export function presentTask(task: Task, { status, at }: { status: number | string; at: number }): Fields {
  const { access_key, project_id, project_name, operators } = readExt(task)
  const quality = task.audit_status?.toUpperCase() ?? null
  return {
    taskId: publicId(task),
    status,
    taskParams: { record: verbatim(task.params), operators: verbatim(operators) },
    pointData: null,
    taskNoteDTOList: [],
    result: presentResult(task.response),
    previousResult: null,
    appendInfo: {
      poolInfo: null,
      projectInfo: { projectId: verbatim(project_id), projectName: verbatim(project_name), tutorial: null },
      projectIssueShortCut: [],
      projectAlgorithm: [],
      isNeedQualityCheck: null,
      samplePackageId: null,
      sampleInfo: null,
      previousPointDataOssUrl: null,
      updateTime: wallTime(task.updated_at),
    },
    qualityStatus: quality,
    auditStatus: quality,
    qualityMessages: [],
    taskDeadline: null,
    rejectDeadline: null,
    serverTime: wallTime(at),
    errorMessage: { message: messageOf(task), pointErrorMsgs: null, isPointTimeOut: null },
    workerInfo: null,
    issueTransferConfigs: [],
    instancePropertyShortcutMappingList: null,
    // Absent until it is decided, never null (contract §5.5).
    callback_succeeded: task.callback_succeeded === null ? undefined : task.callback_succeeded === 1,
    accessKeyId: verbatim(access_key),
  }
}

/** Why a task came to no result; undefined where it may still, or did. */
function messageOf({ status, error }: Task): Printable {
  if (status === 'canceled') return 'The task was canceled'
  if (status === 'expired') return 'The task was not finished in its time'
  if (status !== 'failed' || error === null) return undefined
  return verbatim(valuesAt(error, ['message']).get('message') ?? null) ?? undefined
}

/** A task in a list. */
export function presentSummary(task: Task): Fields {
  const { project_id, file_name } = readExt(task)
  return {
    id: publicId(task),
    projectId: verbatim(project_id),
    poolId: null,
    poolName: null,
    poolType: null,
    workCount: 0,
    status: statusNumber(task),
    title: null,
    metaData: verbatim(valuesAt(task.params, ['metadata']).get('metadata') ?? null),
    datasetId: null,
    datasetName: verbatim(file_name),
    poolAssigneeId: -1,
    poolAssigneeName: null,
    affiliationTeamId: null,
    affiliationTeamName: null,
    createdTime: wallTime(task.created_at),
    updatedTime: wallTime(task.updated_at),
    rejectCount: null,
    taskDeadline: null,
    isTimeSequence: false,
    deliveryOrderId: null,
    deliveryPoolId: null,
    isLock: false,
  }
}
