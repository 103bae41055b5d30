// Who calls: Scale's customers give their key as the user name of HTTP Basic, with an empty password; some send it as a Bearer
// token, as its newer API wants it. Runs before anything of a body is read.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../domain/errors.ts'
import { assertOperatorMay, findCaller, type Caller } from '../caller.ts'
import type { FrontDeps } from '../front.ts'

const NAME = 'scale'

function keyOf({ headers }: FastifyRequest): string | undefined {
  const [, scheme = '', given = ''] = /^(basic|bearer) +(\S+) *$/i.exec(headers.authorization ?? '') ?? []
  const text = scheme.toLowerCase() === 'basic' ? Buffer.from(given, 'base64').toString() : given
  const key = scheme.toLowerCase() === 'basic' ? text.split(':', 1)[0] : text
  return key === '' ? undefined : key
}

/**
 * Whether a browser sends this for a page that is not ours. It adds a Basic key that it was given once by itself, to forms of
 * strangers, too, and says so in a header that no page can change and no other client sends.
 */
const isOfAnotherSite = ({ method, headers }: FastifyRequest): boolean => {
  const site = headers['sec-fetch-site']
  return method !== 'GET' && (site === 'cross-site' || site === 'same-site')
}

/** Makes the hook that finds the holder of a key whose role is among `roles`, or throws `unauthorized`. */
export const createAuth =
  (deps: Pick<FrontDeps, 'directory' | 'guesses'>, roles: readonly Caller['role'][]) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const refusal = (text: string) => {
      reply.header('www-authenticate', 'Basic realm="scale", charset="UTF-8"')
      return new AppError('unauthorized', text)
    }
    if (isOfAnotherSite(request))
      throw refusal('A page of another site cannot use the key that your browser keeps')
    const key = keyOf(request)
    if (key === undefined) {
      throw refusal('Send your API key as the user name of HTTP Basic, with an empty password')
    }
    const caller = await findCaller(deps, request, key)
    if (caller?.project.dialect !== NAME) throw refusal('This API key does not exist, or was revoked')
    if (!roles.includes(caller.role)) {
      throw refusal(
        'This is an operator key, which is for /v1; here your customer key (live_… or test_…) is asked for',
      )
    }
    // All that an operator does here is read.
    assertOperatorMay(caller, 'tasks:read')
    request.caller = caller
  }
