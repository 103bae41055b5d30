// `ringback task …`: the verbs are one table, as they are in the API.
import type { Client, CreateTask, Task } from '@ringback/sdk'
import { auditVerdicts, taskStatuses, type TaskVerb } from '../domain/task.ts'
import { clientCommand, idOf, idsOfPage, list, pageFields, type ListColumn } from './client/command.ts'
import type { Field, Fields } from './client/fields.ts'
import { agoCell, stateCell, textCell } from './client/words.ts'
import type { Command } from './command.ts'
import { taskShow } from './task-show.ts'

const ID = [{ name: 'TASK' }]

const expires_in_s: Field = { doc: 'Seconds until it expires.', kind: 'whole' }
const reason: Field = { doc: 'Why; told in the event.' }
const response: Field = { doc: 'Its result.', kind: 'json', required: true }

const created: Fields = {
  type: { doc: 'What kind of work it is.' },
  params: { doc: 'What the worker needs.', kind: 'json' },
  metadata: { doc: 'An object that is returned unchanged.', kind: 'json' },
  unique_id: { doc: 'An id of your own; no other task of the project can have it.' },
  callback_url: {
    doc: 'Where its events go; the project’s default without it.',
    form: 'URL',
  },
  expires_in_s,
  request: { doc: 'What is called for it: {"url": …}; see docs/providers.md.', kind: 'json' },
  poll: { doc: 'How a provider is asked whether it is done.', kind: 'json' },
  resolve: { doc: 'What the body of a callback to its inbound URL means.', kind: 'json' },
  not_before: { doc: 'When the request is made at the earliest.', form: 'TIME' },
}

const filters: Fields = {
  status: { doc: 'Only those in a status.', choices: taskStatuses },
  type: { doc: 'Only those of a type.' },
  audit_status: { doc: 'Only those audited so.', choices: auditVerdicts },
  callback_succeeded: { doc: 'Only those whose customer was told, or was not.', choices: ['true', 'false'] },
  unique_id: { doc: 'Only the one with an id of your own.' },
  created_after: { doc: 'Only those created after a time.', form: 'TIME' },
  created_before: { doc: 'Only those created before a time.', form: 'TIME' },
  ...pageFields,
}

const columns: readonly ListColumn<Task>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'status', of: ({ status }) => stateCell(status) },
  { name: 'type', flexible: true, of: ({ type }) => textCell(type) },
  { name: 'created', optional: true, of: ({ created_at }, now) => agoCell(created_at, now) },
  { name: 'told', optional: true, of: ({ callback_succeeded }) => toldCell(callback_succeeded) },
]

/** Whether the customer has heard of the task's last event. */
function toldCell(succeeded: boolean | null) {
  if (succeeded === null) return { text: '' }
  return succeeded ? { text: 'yes', tone: 'green' as const } : { text: 'no', tone: 'red' as const }
}

const verbs: readonly [verb: TaskVerb, summary: string, body?: Fields][] = [
  ['start', 'Says that work on a task began.'],
  ['await', 'Lets a task wait for its inbound URL: a new one; the old one dies.', { expires_in_s }],
  ['complete', 'Completes a task with a response.', { response }],
  [
    'fail',
    'Fails a task with an error.',
    {
      message: { doc: 'What went wrong.', required: true, within: 'error' },
      code: { doc: 'The error in one word, for programs.', within: 'error' },
      details: { doc: 'More on the error.', kind: 'json', within: 'error' },
      during: { doc: 'Say that it never came to work on it.', choices: ['setup'] },
    },
  ],
  ['cancel', 'Cancels a task.', { reason }],
  ['expire', 'Expires a task before its time.'],
  ['suspend', 'Halts a task.', { reason }],
  ['resume', 'Lets a halted task go on.'],
  ['edit', 'Replaces the response of a completed task.', { response }],
  [
    'audit',
    'Approves, rejects or fixes a completed task.',
    {
      verdict: { doc: 'The judgement.', choices: auditVerdicts, required: true },
      comments: { doc: 'What the auditor says.' },
      response: { doc: 'With fixed: the new result.', kind: 'json' },
    },
  ],
  ['recall', 'Takes a completed or failed task back for another go.', { reason }],
  ['restart', 'Begins a failed, canceled or expired task again.'],
]

/** The client's method of a verb; those without a body ignore one that is undefined. */
const methodOf = (client: Client, verb: TaskVerb) =>
  client.tasks[verb] as (id: string, body?: unknown) => Promise<unknown>

export const taskCommands: readonly Command[] = [
  clientCommand({
    name: 'task create',
    summary: 'Creates a task, and shows its one-time inbound URL.',
    body: created,
    call: (client, { body }) => client.tasks.create(body as CreateTask),
    ids: idOf,
  }),
  clientCommand({
    name: 'task get',
    summary: 'Shows a task, field by field.',
    args: ID,
    query: { wait: { doc: 'Seconds to wait until it is settled, up to 60.', kind: 'whole' } },
    call: (client, { args: [id = ''], query }) => client.tasks.get(id, query),
  }),
  clientCommand({
    name: 'task list',
    summary: 'Lists tasks, newest first.',
    query: filters,
    call: (client, { query }) => client.tasks.list(query),
    show: list(columns),
    ids: idsOfPage,
  }),
  taskShow,
  ...verbs.map(([verb, summary, body]) =>
    clientCommand({
      name: `task ${verb}`,
      summary,
      args: ID,
      ...(body === undefined ? {} : { body }),
      call: (client, { args: [id = ''], body }) => methodOf(client, verb)(id, body),
    }),
  ),
  clientCommand({
    name: 'task resend',
    summary: 'Sends the last event of a task again, at once.',
    args: ID,
    call: (client, { args: [id = ''] }) => client.tasks.resend(id),
  }),
]
