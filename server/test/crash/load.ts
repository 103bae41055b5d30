// The load: clients that create tasks and resolve them, each one request after the other, as fast as the server answers.
// A client stops at the first request that is not answered, so killing or stopping the server ends the load.
import type { Api, TaskView } from './api.ts'
import { meaningOf, textOf, type Deed, type Journal, type NewTask, type Story, type Verb } from './journal.ts'
import { between, createRandom, type Random } from './random.ts'

export type LoadOptions = {
  api: Api
  journal: Journal
  boot: number
  seed: number
  callback_url: string
}

const CLIENTS = 16
// Out of 100 tasks: so many are resolved this way; the rest stays open.
const PLAN: [share: number, verbs: Verb[][]][] = [
  [35, [['complete']]],
  [35, [['inbound']]],
  [8, [['cancel']]],
  [10, [['complete'], ['audit']]],
  // Two resolvers at the same moment: one may win.
  [8, [['complete', 'inbound']]],
]

/** Runs clients until each has met the end of the server. */
export async function runLoad(options: LoadOptions): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => runClient(options, number)))
}

async function runClient(options: LoadOptions, number: number): Promise<void> {
  const { api, journal, boot, seed } = options
  const random = createRandom(seed, boot, number)
  for (let n = 0; ; n++) {
    const unsure = journal.unsure.shift()
    const goes_on =
      unsure === undefined
        ? await playTask(options, random, `boot${boot}-client${number}-${n}`)
        : await resolve(api, journal, unsure, [random() < 0.5 ? 'complete' : 'inbound'])
    if (!goes_on) return
  }
}

/** Creates a task and lives through its plan; false when the server is gone. */
async function playTask(options: LoadOptions, random: Random, unique_id: string): Promise<boolean> {
  const story = await createTask(options, random, unique_id)
  if (story.task === null) return false
  for (const verbs of planOf(random)) {
    if (!(await resolve(options.api, options.journal, story, verbs))) return false
  }
  return true
}

/** Creates a task; its story's `task` is null when that was not acknowledged. */
export async function createTask(
  { api, journal, boot, callback_url }: LoadOptions,
  random: Random,
  unique_id: string,
): Promise<Story> {
  const sent = newTask(random, unique_id, callback_url)
  const story: Story = { boot, sent, status: null, task: null, deeds: [] }
  journal.stories.push(story)
  const answer = await api.send('POST', '/v1/tasks', sent)
  story.status = answer?.status ?? null
  if (answer?.status === 201) story.task = answer.body as TaskView & { callback_id: string }
  return story
}

/** What a task is created with: fields of all sorts. */
export const newTask = (random: Random, unique_id: string, callback_url: string): NewTask => ({
  type: random() < 0.5 ? 'label' : 'review',
  params: { of: unique_id, size: between(random, 0, 1e6), text: 'ä€😀'.repeat(between(random, 0, 40)) },
  metadata: { client: unique_id },
  unique_id,
  callback_url,
})

function planOf(random: Random): Verb[][] {
  let drawn = random() * 100
  for (const [share, verbs] of PLAN) {
    drawn -= share
    if (drawn < 0) return verbs
  }
  return []
}

/** Does deeds at the same moment; false when the server is gone. */
async function resolve(api: Api, journal: Journal, story: Story, verbs: Verb[]): Promise<boolean> {
  const meanings = await Promise.all(verbs.map(async (verb) => meaningOf(await act(api, story, verb))))
  if (meanings.every((meaning) => meaning === 'done' || meaning === 'refused')) return true
  // An audit is never repeated: it may be applied any number of times.
  if (!verbs.includes('audit') && !meanings.includes('done')) journal.unsure.push(story)
  return false
}

/** Does one deed and writes it down; gives the status of the answer, null without one. */
export async function act(api: Pick<Api, 'send'>, story: Story, verb: Verb): Promise<number | null> {
  const { sent, deeds } = story
  const value = { by: verb, deed: deeds.length, of: sent.unique_id, text: 'ü€' }
  const deed: Deed = { verb, value, status: null }
  deeds.push(deed)
  const answer = await api.send('POST', ...callOf(story, deed))
  return (deed.status = answer?.status ?? null)
}

function callOf({ task }: Story, { verb, value }: Deed): [path: string, body: unknown] {
  const path = `/v1/tasks/${task?.id}`
  switch (verb) {
    case 'inbound':
      return [`/v1/callbacks/${task?.callback_id}`, value]
    case 'complete':
    case 'edit':
      return [`${path}/${verb}`, { response: value }]
    case 'cancel':
      return [`${path}/cancel`, { reason: textOf(value) }]
    case 'audit':
      return [`${path}/audit`, { verdict: 'approved', comments: textOf(value) }]
    case 'fix':
      return [`${path}/audit`, { verdict: 'fixed', comments: textOf(value), response: value }]
  }
}
