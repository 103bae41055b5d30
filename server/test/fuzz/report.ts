// What a run tells in the end.
import type { Route } from './routes.ts'
import type { Fault, Result } from './run.ts'

// So few tries a route may have without a success being expected.
const TRIES_MIN = 12

const table = (pairs: Iterable<readonly [string, number]>) =>
  Array.from(pairs, ([name, count]) => `${name} ${count}`).join(', ')

/** The figures of a run: statuses, refusals, and how often each route did what it was asked for. */
export function describe(routes: readonly Route[], { statuses, refusals, successes }: Result): string {
  const never = routes.filter((route) => !successes.has(route)).map(({ name }) => name)
  const counts = routes.map((route): [string, number] => [route.name, successes.get(route) ?? 0])
  return [
    `answers: ${table([...statuses].toSorted(([one], [other]) => (one < other ? -1 : 1)))}`,
    `refusals that changed nothing: ${refusals.unchanged}; made again when all was quiet: ${refusals.again}, of which ${refusals.unseen} met no quiet`,
    `successes by route: ${table(counts)}`,
    `routes without a success: ${never.join(', ') || 'none'}`,
  ].join('\n')
}

/** A fault, with what to send to see it again. */
export const faultText = ({ number, what, request, answer }: Fault): string =>
  `in request ${number}: ${what}\n${request}\n${answer}`

/** The routes of the document that never succeeded, when they were tried often enough. */
export function neverReached(routes: readonly Route[], { successes }: Result, requests: number): string[] {
  if (requests < routes.length * TRIES_MIN) return []
  return routes
    .filter((route) => route.operation !== undefined && !successes.has(route))
    .map(({ name }) => `${name} never succeeded`)
}
