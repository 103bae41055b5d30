// The story: three tasks, a provider's callback, a receiver that fails twice, a rejected audit and a re-send. The failing
// receiver makes the story wait for some 13 s, the first two waits of the usual retries; the rest is played meanwhile.
import type { Task, TaskCreated } from '@ringback/sdk'
import { FailedError } from '../command.ts'
import { unreachableReason } from '../client/exchange.ts'
import { inboxUrl } from '../dev/project.ts'
import { follow, followLast, type Play } from './callback.ts'
import type { Stage } from './stage.ts'

const WAIT_S = 30
const METHOD_NOT_ALLOWED = 405

/**
 * Plays the story on the `dev` server at `url` and gives the ids of its tasks. Throws FailedError when the server has no
 * inbox, when a callback does not arrive, and after `limit_ms`.
 */
export async function playStory({
  client,
  url,
  stage,
  limit_ms,
}: Pick<Play, 'client' | 'stage'> & { url: string; limit_ms: number }): Promise<string[]> {
  const ended = new AbortController()
  const limit = AbortSignal.timeout(limit_ms)
  const signal = AbortSignal.any([ended.signal, limit])
  const tally = { callbacks: 0, attempts: 0 }
  const play: Play = { client, stage, signal, tally, deadline: Date.now() + limit_ms }
  try {
    await checkServer(play, url)
    stage.announce(`Ringback demo: three tasks on ${url}`, 'bold')
    const { label, transcript, invoice } = await createTasks(play, inboxUrl(url))
    await Promise.all([
      playTranscript(play, transcript),
      playLabel(play, label).then(() => playInvoice(play, invoice)),
    ])
    stage.end()
    sayGoodbye(stage, { url, tally, transcript })
    return [label.id, transcript.id, invoice.id]
  } catch (error) {
    if (!limit.aborted) throw error
    throw new FailedError(
      `the story was not over after ${limit_ms / 1000} s; the log of the server may say why`,
    )
  } finally {
    stage.end()
    // Of two halves that play at once the other one may still be on.
    ended.abort()
  }
}

/** Makes sure that there is an inbox. It takes POSTs only, so a GET shows it without leaving a trace. */
async function checkServer({ client, signal }: Play, url: string): Promise<void> {
  await client.project.get({ signal })
  const { status } = await fetch(inboxUrl(url), { redirect: 'manual', signal })
  if (status !== METHOD_NOT_ALLOWED) {
    throw new FailedError(
      `${url} is no \`ringback dev\` server: it has no inbox to receive callbacks; start one, or name it with --url`,
    )
  }
}

async function createTasks({ client, stage, signal }: Play, inbox: string) {
  const create = async (type: string, params: object, callback_url: string, note = '') => {
    const task = await client.tasks.create({ type, params, callback_url }, { signal })
    stage.tell({ who: type, mark: '●', text: `created, ${JSON.stringify(params)}${note}` })
    return task
  }
  return {
    label: await create('label', { image: 'cat.png' }, inbox),
    transcript: await create(
      'transcript',
      { audio: 'call.mp3' },
      `${inbox}/fail/2`,
      '; its receiver will fail twice',
    ),
    invoice: await create('invoice', { scan: 'page.png' }, inbox),
  }
}

/** Its receiver is broken at first, and hears of it all the same. */
async function playTranscript(play: Play, { id, type }: TaskCreated): Promise<void> {
  await play.stage.pause(play.signal)
  await complete(play, { id, type }, { text: 'Hello?' })
  await followLast(play, type, id)
}

/** A provider resolves it by one POST, and whoever waits for it hears at once. */
async function playLabel(play: Play, { id, type, resolve_url }: TaskCreated): Promise<void> {
  const { client, stage, signal } = play
  await stage.pause(signal)
  await stage.pause(signal)
  stage.tell({ who: type, mark: '○', text: `the customer waits for it: GET /v1/tasks/…?wait=${WAIT_S}` })
  const waiting = client.tasks.get(id, { wait: WAIT_S, signal })
  const [task] = await Promise.all([waiting, callBack(play, type, resolve_url)])
  if (task.status !== 'completed') throw new FailedError(`task ${id} is ${task.status}, not completed`)
  stage.tell({ who: type, mark: '●', tone: 'bold', text: 'completed, and the waiting customer has it' })
  await followLast(play, type, id)
  await stage.pause(signal)
  const { status } = await post(resolve_url, '"again"', signal)
  stage.tell({ who: type, mark: '←', text: `the same URL once more: ${status}, for it is good for one call` })
}

/** What the provider does: no key, one POST. */
async function callBack({ stage, signal }: Play, who: string, resolve_url: string): Promise<void> {
  await stage.pause(signal)
  const result = '{"label":"cat","score":0.98}'
  const { ok, status, body } = await post(resolve_url, result, signal)
  if (!ok) throw new FailedError(`the one-time URL at ${originOf(resolve_url)} answered ${status}: ${body}`)
  stage.tell({ who, mark: '←', text: `its provider POSTs ${result} to the one-time URL: ${status}` })
}

async function post(url: string, body: string, signal: AbortSignal) {
  try {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal })
    return { ok: response.ok, status: response.status, body: await response.text() }
  } catch (error) {
    if (signal.aborted) throw error
    throw new FailedError(
      `no answer from the one-time URL at ${originOf(url)} (${unreachableReason(error)}): the server was told RINGBACK_PUBLIC_URL, and it does not lead there`,
      { cause: error },
    )
  }
}

// The path is a secret.
const originOf = (url: string) => new URL(url).origin

/** A person looks at the result, and the customer asks for the verdict a second time. */
async function playInvoice(play: Play, { id, type }: TaskCreated): Promise<void> {
  const { client, stage, signal } = play
  await stage.pause(signal)
  await complete(play, { id, type }, { total: '9.90' })
  await followLast(play, type, id)
  await stage.pause(signal)
  const comments = 'The total is 99.00.'
  await client.tasks.audit(id, { verdict: 'rejected', comments }, { signal })
  stage.tell({ who: type, mark: '●', tone: 'yellow', text: `an auditor rejects it: “${comments}”` })
  await followLast(play, type, id)
  await stage.pause(signal)
  const again = await client.tasks.resend(id, { signal })
  stage.tell({ who: type, mark: '→', text: 'the customer has lost that: the same bytes are sent again' })
  await follow(play, type, again)
}

async function complete(
  { client, stage, signal }: Play,
  { id, type }: Pick<Task, 'id' | 'type'>,
  response: object,
): Promise<void> {
  await client.tasks.complete(id, { response }, { signal })
  stage.tell({
    who: type,
    mark: '●',
    tone: 'bold',
    text: `a worker completes it: ${JSON.stringify(response)}`,
  })
}

function sayGoodbye(
  stage: Stage,
  { url, tally, transcript }: { url: string; tally: Play['tally']; transcript: Task },
): void {
  stage.announce('')
  stage.announce(
    `${tally.callbacks} callbacks took ${tally.attempts} attempts, and all have arrived. Look at them:`,
    'bold',
  )
  stage.announce(`ringback task show ${transcript.id}`)
  stage.announce(`${url}/`)
}
