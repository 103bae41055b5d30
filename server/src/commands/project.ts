// `ringback project …`: making projects is the administrator's, seeing one's own is any key's, its secrets are for its
// operators.
import type { CreateProject, Project, RotateSecret } from '@ringback/sdk'
import { members } from '../domain/json.ts'
import { secretKinds } from '../domain/project.ts'
import { clientCommand, idsOfPage, list, pageFields, type ListColumn, type Show } from './client/command.ts'
import { record } from './client/record.ts'
import { agoCell, textCell, urlCell } from './client/words.ts'
import type { Command } from './command.ts'
import { projectShow } from './project-show.ts'

const columns: readonly ListColumn<Project>[] = [
  { name: 'id', of: ({ id }) => textCell(id) },
  { name: 'name', flexible: true, of: ({ name }) => textCell(name) },
  { name: 'dialect', of: ({ dialect }) => textCell(dialect) },
  { name: 'created', optional: true, of: ({ created_at }, now) => agoCell(created_at, now) },
  {
    name: 'callbacks to',
    flexible: true,
    optional: true,
    of: (project) => urlCell(project.default_callback_url),
  },
]

const showCreated: Show = (answer, screen, now) => {
  const parts = members(answer)
  const part = (name: string) => record(parts.get(name) ?? '{}', screen, now)
  return `${part('project')}\n\n${part('credentials')}\n\n${screen.paint('bold', 'These are shown this once: keep them.')}`
}

export const projectCommands: readonly Command[] = [
  clientCommand({
    name: 'project create',
    summary: 'Creates a project, and shows its keys and secrets this once.',
    caller: 'admin',
    body: {
      name: { doc: 'Its name.', required: true },
      dialect: { doc: 'The wire language of its customers; native without it.' },
      default_callback_url: {
        doc: 'Where events go of tasks that say nothing else.',
        form: 'URL',
      },
      host: { doc: 'A host name at whose root its dialect is served.', form: 'NAME' },
    },
    call: (client, { body }) => client.admin.createProject(body as CreateProject),
    show: showCreated,
    ids: (answer) => [(JSON.parse(answer) as { project: Project }).project.id],
  }),
  clientCommand({
    name: 'project list',
    summary: 'Lists the projects of the server.',
    caller: 'admin',
    query: pageFields,
    call: (client, { query }) => client.admin.listProjects(query),
    show: list(columns),
    ids: idsOfPage,
  }),
  projectShow,
  clientCommand({
    name: 'project rotate',
    summary: 'Makes a new secret of the project of the key; the old one holds on for its grace.',
    caller: 'operator',
    body: {
      which: { doc: 'Of which kind.', choices: secretKinds, required: true },
      grace_s: {
        doc: 'Seconds for which the old one holds on, up to 2592000; a day without it. 0 ends all older ones at once.',
        kind: 'whole',
      },
    },
    call: (client, { body }) => client.project.rotateSecret(body as RotateSecret),
  }),
]
