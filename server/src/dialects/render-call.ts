// From a call to the request that is sent of it: placeholders become the inbound URL, references become the values of the vault,
// and the dialect signs. None of these values is ever written down.
import type { CallRequest, RequestPlan } from '../domain/call.ts'
import type { CallContext } from '../domain/call-step.ts'
import type { Project, Scope, Secret } from '../domain/project.ts'
import type { Store } from '../store/store.ts'
import type { Dialects } from './dialect.ts'
import { isTokenReference } from './vault.ts'

// What belongs to the body that polls do not have; everything else of the target call may be a credential.
const CONTENT = /^content-|^accept-encoding$/

type Terms = { project: Project; secrets: readonly Secret[]; attempt: number; now: number }
export type RenderedCall = { request: CallRequest } | { fault: string }

/** Makes the function that renders calls; `version` is the program's, for the `user-agent`. */
export function createRenderCall({
  store,
  dialects,
  public_url,
  version,
}: {
  store: Pick<Store, 'findTokens'>
  dialects: Dialects
  public_url: string
  version: string
}): (context: CallContext, terms: Terms) => Promise<RenderedCall> {
  const base = public_url.replace(/\/+$/, '')
  const own = { 'user-agent': `Ringback/${version}`, accept: '*/*' }
  // What is unpacked has another size than what is read, and the bound would no longer hold.
  const packing = { 'accept-encoding': 'identity' }

  return async (context, { project, secrets, attempt, now }) => {
    const { calls } = dialects.get(project.dialect)
    if (calls === null) return { fault: `Tasks of ${project.dialect} have no calls.` }
    const { call, request } = context
    const { timeout_ms } = call
    const placeholder = calls.placeholder
    if (call.step !== 'request') {
      const given = forwards(context) ? withoutContent(request.headers, placeholder) : {}
      const opened = await openHeaders(store, call, given)
      if ('fault' in opened) return opened
      const headers = { ...own, ...opened.values, ...packing }
      return { request: { url: call.url, method: 'GET', headers, bare: headers, body: null, timeout_ms } }
    }
    const fill = (text: string) =>
      call.callback_id === null
        ? text
        : text.replaceAll(placeholder, base + calls.inbound_path + call.callback_id)
    const filled = Object.entries(request.headers).map(([name, value]) => [name, fill(value)])
    const opened = await openHeaders(store, call, Object.fromEntries(filled))
    if ('fault' in opened) return opened
    const body = request.body === null || request.method === 'GET' ? null : fill(request.body)
    const headersFor = (text: string | null) => ({
      ...own,
      ...(text === null ? {} : { 'content-type': 'application/json' }),
      ...opened.values,
      ...packing,
      ...calls.headers({ mode: call.mode, body: text }, { secrets, attempt, now }),
    })
    const { 'content-type': _, ...bare } = headersFor(null)
    return {
      request: {
        url: fill(request.url),
        method: request.method,
        headers: headersFor(body),
        bare,
        body,
        timeout_ms,
      },
    }
  }
}

/** A request's headers, names in lower case, with the values of its tokens; a token without one is a fault. */
async function openHeaders(
  store: Pick<Store, 'findTokens'>,
  scope: Scope,
  headers: RequestPlan['headers'],
): Promise<{ values: Record<string, string> } | { fault: string }> {
  const references = Object.values(headers).filter(isTokenReference)
  const tokens = new Map((await store.findTokens(scope, references)).map(({ id, value }) => [id, value]))
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    const opened = isTokenReference(value) ? (tokens.get(value) ?? null) : value
    if (opened === null) return { fault: `The token ${value} of the header ${name} is revoked.` }
    values[name.toLowerCase()] = opened
  }
  return { values }
}

/** Whether a poll may carry the headers of the target call: only to its host, and never from https to http. */
function forwards({ call, plan, request }: CallContext): boolean {
  if (plan.poll?.forward_auth !== true) return false
  const from = URL.parse(request.url)
  const to = URL.parse(call.url)
  return (
    from !== null &&
    to !== null &&
    from.host === to.host &&
    (to.protocol === 'https:' || from.protocol === 'http:')
  )
}

/** What a poll carries of them: nothing of a body, and nothing that told the inbound URL. */
const withoutContent = (headers: RequestPlan['headers'], placeholder: string) =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name, value]) => !CONTENT.test(name.toLowerCase()) && !value.includes(placeholder),
    ),
  )
