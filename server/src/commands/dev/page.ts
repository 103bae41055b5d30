// The page at / of `dev`: where to go from here, and the last tasks with their attempts. It is written by the server, runs
// no script and loads nothing; a header says so to the browser, should a text of a stranger ever get through. What every answer says
// of itself (http/edge.ts) holds for it, too.
import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Store } from '../../store/store.ts'
import { readActivity, type Story } from './activity.ts'
import { isFromHere } from './address.ts'
import { html, Html } from './html.ts'
import { inboxUrl } from './project.ts'
import { style } from './page-style.ts'
import { storyHtml } from './page-story.ts'
import { roundTrip } from './welcome.ts'
import { clock } from './words.ts'

const REFRESH_S = 5

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
}

/** What the page is made from. */
export type PageInput = { base_url: string; data: string; stories: Story[]; now: number; refresh: boolean }

/** Adds the page to a server; `store` and `project_id` are asked for at each request. */
export function addPage(
  server: FastifyInstance,
  {
    base_url,
    data,
    store,
    project_id,
  }: { base_url: string; data: string; store: () => Store; project_id: () => string },
): void {
  server.get<{ Querystring: { refresh?: string } }>(
    '/',
    { schema: { hide: true } },
    async (request, reply) => {
      if (!isFromHere(request.raw, base_url)) {
        reply.code(403).type('text/plain; charset=utf-8')
        return `This page is for the machine that runs \`ringback dev\`: open ${base_url}/ there.\n`
      }
      const stories = await readActivity(store(), project_id())
      const refresh = request.query.refresh !== 'off'
      return reply.headers(headers).send(devPage({ base_url, data, stories, now: store().now(), refresh }))
    },
  )
}

const links = [
  ['/docs', 'API docs'],
  ['/openapi.json', 'OpenAPI'],
  ['/healthz', 'Health'],
  ['/readyz', 'Readiness'],
  ['/metrics', 'Metrics'],
] as const

const bell = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#e8590c" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7"/><path d="M10 20a2 2 0 0 0 4 0"/></svg>`
const icon = `data:image/svg+xml;base64,${Buffer.from(bell).toString('base64')}`

// Whole, since white space between the tags would change the hash.
const styleElement = new Html(`<style>${style}</style>`)

/** The page as HTML. */
export const devPage = ({ base_url, data, stories, now, refresh }: PageInput): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${refresh ? html`<meta http-equiv="refresh" content="${REFRESH_S}" />` : null}
        <title>Ringback</title>
        <link rel="icon" href="${icon}" />
        ${styleElement}
      </head>
      <body>
        <header>
          <h1><img src="${icon}" alt="" width="28" height="28" />Ringback</h1>
          <nav>${links.map(([path, name]) => html`<a href="${path}">${name}</a>`)}</nav>
        </header>
        <main>
          <dl class="inbox">
            <dt>Inbox</dt>
            <dd>
              <code>${inboxUrl(base_url)}</code> receives this project’s callbacks; the terminal shows them
            </dd>
            <dt>Failing</dt>
            <dd>
              <code>${inboxUrl(base_url)}/fail/2</code> as a task’s <code>callback_url</code> fails twice
              first
            </dd>
          </dl>
          ${stories.length === 0 ? firstSteps(base_url, data) : lastTasks(stories, now)}
        </main>
        <footer>
          ${clock(now).slice(0, 8)} UTC ·
          ${
            refresh
              ? html`refreshed every ${REFRESH_S} s · <a href="/?refresh=off">pause</a>`
              : html`paused · <a href="/">go on</a>`
          }
        </footer>
      </body>
    </html> `.text

const lastTasks = (stories: Story[], now: number): Html =>
  html`<h2>Last tasks</h2>
    ${stories.map((story) => storyHtml(story, now))}`

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

// The key is read from dev.json by the shell, so that the page holds no secret.
function firstSteps(base_url: string, data: string): Html {
  const key = `$(grep -o 'rb_live_[0-9a-f]*' ${quoted(join(data, 'dev.json'))})`
  return html`<section class="empty">
    <h2>No task yet</h2>
    <p>
      Create one and resolve it by its one-time URL. The callback appears in the terminal of
      <code>ringback dev</code>, the task here.
    </p>
    <pre><code>${roundTrip(base_url, `"authorization: Bearer ${key}"`)}</code></pre>
  </section>`
}
