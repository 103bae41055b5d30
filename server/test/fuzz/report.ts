// What a run tells in the end.
import type { Route } from './routes.ts'
import type { Result } from './run.ts'

// So few tries a route may have without a success being expected.
const TRIES_MIN = 12

const table = (pairs: Iterable<readonly [string, number]>) =>
  Array.from(pairs, ([name, count]) => `${name} ${count}`).join(', ')

/** The figures of a run: statuses, refusals, and how often each route did what it was asked for. */
export function describe(routes: readonly Route[], { statuses, refusals, successes }: Result): string {
  const never = routes.filter((route) => !successes.has(route)).map(({ name }) => name)
  const counts = routes.map((route): [string, number] => [route.name, successes.get(route) ?? 0])
  return [
    `answers: ${table([...statuses].toSorted())}`,
    `refusals that changed nothing: ${refusals.unchanged}; made again when all was quiet: ${refusals.again}, of which ${refusals.unseen} met no quiet`,
    `successes by route: ${table(counts)}`,
    `routes without a success: ${never.join(', ') || 'none'}`,
  ].join('\n')
}

/** All faults, in words; a route of the document that never succeeded is one, when it was tried often enough. */
export function faultsOf(
  routes: readonly Route[],
  { faults, successes }: Result,
  requests: number,
): string[] {
  const isLong = requests >= routes.length * TRIES_MIN
  const never = routes.filter((route) => isLong && route.operation !== undefined && !successes.has(route))
  return [
    ...faults.map(
      ({ number, what, request, answer }) => `in request ${number}: ${what}\n${request}\n${answer}`,
    ),
    ...never.map(({ name }) => `${name} never succeeded`),
  ]
}
