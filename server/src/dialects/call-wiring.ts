// What the engine asks about calls, answered by the dialects of their projects.
import type { Project } from '../domain/project.ts'
import type { CallVerb, Task, VerbInput } from '../domain/task.ts'
import type { CallWrite } from '../store/call-verbs.ts'
import type { Store } from '../store/store.ts'
import type { Verbs } from './apply.ts'
import { callDestinationOf } from './destination-id.ts'
import type { Dialects } from './dialect.ts'
import { createRenderCall } from './render-call.ts'

/** Makes the answers; `public_url` is the base of inbound URLs, and of an answer `answer_bytes` are read at most. */
export const createCallWiring = ({
  verbs,
  answer_bytes,
  ...rest
}: {
  store: Pick<Store, 'findTokens'>
  dialects: Dialects
  verbs: Pick<Verbs, 'tryApply'>
  public_url: string
  version: string
  answer_bytes: number
}) => ({
  rulesOf: ({ dialect }: Project) => rest.dialects.get(dialect).calls ?? undefined,
  render: createRenderCall(rest),
  move: (task: Task, verb: 'complete' | 'fail' | CallVerb, input: VerbInput, call?: CallWrite) =>
    verbs.tryApply(task, verb, input, call === undefined ? {} : { call }),
  destinationOf: callDestinationOf,
  answer_bytes,
})
