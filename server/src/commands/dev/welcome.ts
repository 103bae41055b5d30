// What `dev` says at every start, and the round trip to try. The commands are run as they stand by the tests.
import type { Config } from '../../config.ts'
import type { DevState } from './state.ts'
import { inboxUrl } from './project.ts'

/** Creates a task and resolves it, for a POSIX shell; `authorization` is a quoted header. */
export const roundTrip = (base_url: string, authorization: string): string =>
  `RESOLVE_URL=$(curl -s ${base_url}/v1/tasks \\
  -H ${authorization} -H 'content-type: application/json' \\
  -d '{"params":{"image":"cat.png"}}' | grep -o '"resolve_url":"[^"]*"' | cut -d'"' -f4)
curl -s "$RESOLVE_URL" -H 'content-type: application/json' -d '{"label":"cat","score":0.98}'; echo`

const indented = (text: string) => text.replace(/^/gm, '  ')

/** The greeting. */
export const welcome = (
  { base_url, live_key, test_key, admin_key }: DevState,
  { data, smtp_url: mail }: Pick<Config, 'data' | 'smtp_url'>,
): string => `
Ringback is ready at ${base_url}  (API ${base_url}/docs, data in ${data})

  live key    ${live_key}
  test key    ${test_key}
  admin key   ${admin_key}
  inbox       ${inboxUrl(base_url)}   (this server receives its own callbacks and shows them here)
  mail        ${mail?.kind === 'server' ? `through ${mail.host}:${mail.port}` : `as files in ${mail?.folder}`}   (callbacks to e-mail addresses)
  Loopback destinations are allowed, since this is \`dev\`.

Try it, in this or another terminal: create a task, resolve it by its one-time URL, watch the callback arrive here.

${indented(roundTrip(base_url, `'authorization: Bearer ${live_key}'`))}

A receiver that fails twice first: add "callback_url":"${inboxUrl(base_url)}/fail/2" to the task.
The last tasks and their attempts: ${base_url}/
`
