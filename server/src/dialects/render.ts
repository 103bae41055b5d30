// From a delivery to what is sent of it: the project's dialect makes the headers, those of a request or those of a mail.
import { targetKind, type Target } from '../domain/destination.ts'
import type { Project } from '../domain/project.ts'
import type { Ready } from '../store/store.ts'
import type { AttemptContext, Dialect, Dialects } from './dialect.ts'

const headersFor = {
  http: 'headers',
  mail: 'mailHeaders',
} as const satisfies Record<Target['kind'], keyof Dialect>

/** Makes the function that renders attempts; it throws when the project has no usable secret. */
export const createRender =
  (dialects: Dialects) =>
  (ready: Ready, { project, ...context }: AttemptContext & { project: Project }) => ({
    url: ready.url,
    headers: dialects.get(project.dialect)[headersFor[targetKind(ready.url)]](ready, context),
  })
