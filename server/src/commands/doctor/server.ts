// Whether a server runs where commands would look for it, and takes requests.
import type { surveyConfig } from '../../config.ts'
import { fail, ok, warn, type Finding } from '../../domain/finding.ts'
import { unreachableReason } from '../client/exchange.ts'
import { localUrl } from '../dev/address.ts'
import { readDevState } from '../dev/state.ts'

const TIMEOUT_MS = 5000

/** A server: where it should be, and whether somebody said so. */
type Place = { url: string; told: boolean }

/** Where the server is: as the other commands know it, or where these settings would have it listen. */
export function serverAt({ value }: Pick<ReturnType<typeof surveyConfig>, 'value'>): Place {
  const url = value('url')
  if (url !== null) return { url, told: true }
  const dev = readDevState(value('data'))
  return { url: dev?.base_url ?? localUrl({ host: value('host'), port: value('port') }), told: false }
}

/** Asks a server whether it is ready. */
export async function checkServer({ url, told }: Place): Promise<Finding> {
  let answer: { status: number; text: string }
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(`${url}/readyz`, { redirect: 'manual', signal })
    answer = { status: response.status, text: await response.text() }
  } catch (error) {
    const found = `no answer from ${url} (${unreachableReason(error)})`
    return told
      ? fail(found, 'start the server there, or name another with --url or RINGBACK_URL')
      : warn(found, 'start one with `ringback dev` or `ringback serve`')
  }
  switch (wordOf(answer.text)) {
    case 'ready':
      return ok(`${url} is ready`)
    case 'stopping':
      return warn(`${url} is stopping`, 'wait for it to end, then start it')
    case 'store_unavailable':
      return fail(`${url} runs, but its database does not answer`, 'see to the database, and to its log')
    default:
      return fail(
        `${url} answers ${answer.status}, but is no Ringback server`,
        'name another with --url or RINGBACK_URL',
      )
  }
}

/** The word of an answer of /readyz. */
function wordOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { status?: unknown } | null)?.status
  } catch {
    return undefined
  }
}
