// Why a fetch failed, as the sentence that its customer reads: what to do first, then what was seen.
import { FetchError } from '../dialects/work.ts'
import { classifyError } from '../domain/outcome.ts'

/** The fault of a request that got no answer. */
export function unansweredFault(error: unknown): FetchError {
  const { kind, error: sentence } = classifyError(error)
  switch (kind) {
    case 'forbidden':
      return new FetchError('forbidden', `Give a URL on a public address. ${sentence}`)
    case 'timeout':
      return new FetchError('timeout', `Check that the URL can be read from the internet. ${sentence}`)
    case 'unknown':
      return stoppedFault(null)
    default:
      return new FetchError('unreachable', `Check that the URL can be read from the internet. ${sentence}`)
  }
}

/** The fault of an answer whose body broke off or is no valid HTTP. */
export const brokenFault = (status: number | null): FetchError =>
  new FetchError('unreachable', 'The answer broke off before its end; check the URL and try again.', status)

/** The fault of an answer by its head, or undefined for one whose body can be read. */
export function headFault(status: number, encoding: string | string[] = 'identity'): FetchError | undefined {
  if (status < 200 || status > 299)
    return new FetchError(
      'status',
      `The URL answered ${status}; check that anybody can read it without logging in.`,
      status,
    )
  if (String(encoding).toLowerCase() !== 'identity')
    return new FetchError(
      'unreachable',
      'The answer is compressed though that was not asked for; give a URL that is served as it is.',
      status,
    )
}

export const sizeFault = (status: number, max_bytes: number): FetchError =>
  new FetchError('too_large', `The URL holds more than ${max_bytes} bytes; give a smaller file.`, status)

export const redirectFault = (status: number, redirects: number): FetchError =>
  new FetchError(
    'status',
    `The URL redirects more than ${redirects} times; give the address of the file itself.`,
    status,
  )

export const stoppedFault = (status: number | null): FetchError =>
  new FetchError('stopped', 'Reading the URL was stopped; try again.', status)

export const overdueFault = (status: number | null, total_ms: number): FetchError =>
  new FetchError(
    'timeout',
    `The URL was not read to its end within ${total_ms} ms; give a smaller file or a faster server.`,
    status,
  )

export const silenceFault = (status: number | null, idle_ms: number): FetchError =>
  new FetchError(
    'timeout',
    `The URL's server said nothing for ${idle_ms} ms; check it and try again.`,
    status,
  )
