// The command line of `npm run bench`: how much of what is measured, and on what.
import { parseArgs } from 'node:util'
import type { Sizes } from './stage.ts'

/** The groups of scenarios, in the order in which they run. */
export const groupNames = ['load', 'fairness', 'siege', 'growth', 'memory', 'start'] as const
export type Group = (typeof groupNames)[number]

export type Options = {
  help: boolean
  groups: readonly Group[]
  sizes: Sizes
  /** Numbers of nodes on PostgreSQL. */
  nodes: readonly number[]
  /** Measure the built package instead of the sources. */
  built: boolean
  /** The JSON file. */
  json: string
  /** The folder for CPU profiles, if they are wanted. */
  profile: string | undefined
}

/** Usually, with `--quick`, and the most: every flag that is a whole number, or several with commas between. */
const numbers = {
  rounds: ['3', '1', 100],
  tasks: ['30000', '2000', 1_000_000],
  due: ['50000', '2000', 1_000_000],
  size: ['1024,16384', '1024,16384', 1_000_000],
  connections: ['64', '64', 10_000],
  rate: ['500', '200', 10_000],
  seconds: ['10', '2', 3600],
  besiegers: ['200', '20', 10_000],
  settled: ['100000,1000000,5000000', '1000,10000', 10_000_000],
  waiting: ['1000000', '10000', 10_000_000],
  destinations: ['10000', '500', 1_000_000],
  backlog: ['100000', '2000', 1_000_000],
} as const
const MOST_MINUTES = 24 * 60
const MOST_NODES = 8
type Name = keyof typeof numbers

export const HELP = `Usage: npm run bench -- [options]

  --only LIST        of load, fairness, siege, growth, memory and start (all)
  --quick            everything small, to see that it works: the figures mean nothing
  --json FILE        where the figures go as JSON (bench-results.json)
  --built            builds the package and measures that, not the sources
  --nodes LIST       also on PostgreSQL, with one node and then with two if LIST is 1,2; on the server of DATABASE_URL if
                     that is set (a user that may create databases and run checkpoint), else on one of its own
  --profile DIR      writes the server's CPU profiles of resolve and drain there and prints what cost most; one round of
                     load alone, if --rounds and --only do not say otherwise
  --rounds N         interleaved rounds, of which medians are shown (3)
  --tasks N          requests of raw, create and resolve a round, those of the siege included (30000)
  --due N            deliveries due after the restart (50000)
  --size LIST        bytes of what a provider posts (1024,16384)
  --connections N    requests under way at a time (64)
  --rate N           tasks a second of the fairness load, of which one in five is for the broken receiver (500)
  --seconds N        how long that is measured (10)
  --besiegers N      receivers that drip and, as many more, clients that send a byte a second (200)
  --settled LIST     settled tasks there already, least first (100000,1000000,5000000)
  --waiting N        deliveries that wait (1000000)
  --destinations N   receivers with one delivery each (10000)
  --backlog N        deliveries due at one receiver (100000)
  --minutes N        how long memory is looked at under half load (10)
  --help`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

/** Reads the arguments; throws a UsageError that says what is wrong with them. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      ...(Object.fromEntries(Object.keys(numbers).map((name) => [name, text])) as Record<Name, typeof text>),
      minutes: text,
      only: text,
      nodes: text,
      json: { ...text, default: 'bench-results.json' },
      profile: text,
      built: flag,
      quick: flag,
      help: flag,
    },
  })
  const several = (name: Name) => {
    const [usual, quick, most] = numbers[name]
    return listOf(name, values[name] ?? (values.quick ? quick : usual), most)
  }
  const one = (name: Name): number => {
    const [value = 0, ...others] = several(name)
    if (others.length > 0) throw new UsageError(`--${name} must be one whole number`)
    return value
  }
  const { profile } = values
  return {
    help: values.help,
    groups: groupsOf(values.only ?? (profile === undefined ? groupNames.join(',') : 'load')),
    sizes: {
      rounds: profile !== undefined && values.rounds === undefined ? 1 : one('rounds'),
      tasks: one('tasks'),
      due: one('due'),
      sizes: several('size'),
      connections: one('connections'),
      rate: one('rate'),
      seconds: one('seconds'),
      besiegers: one('besiegers'),
      settled: several('settled').toSorted((a, b) => a - b),
      waiting: one('waiting'),
      destinations: one('destinations'),
      backlog: one('backlog'),
      minutes: minutesOf(values.minutes ?? (values.quick ? '0.33' : '10')),
    },
    nodes: values.nodes === undefined ? [] : listOf('nodes', values.nodes, MOST_NODES),
    built: values.built,
    json: values.json,
    profile,
  }
}

/** The command line is wrong. */
export class UsageError extends Error {}

function listOf(name: string, given: string, most: number): number[] {
  const found = given.split(',').map(Number)
  if (found.some((value) => !Number.isInteger(value) || value < 1 || value > most))
    throw new UsageError(`--${name} must be whole numbers from 1 to ${most}, not ${given}`)
  if (new Set(found).size < found.length) throw new UsageError(`--${name} has a number twice: ${given}`)
  return found
}

function groupsOf(given: string): Group[] {
  const wanted = given.split(',')
  const unknown = wanted.find((name) => !groupNames.some((known) => known === name))
  if (unknown !== undefined)
    throw new UsageError(`--only knows ${groupNames.join(', ')}, not ${JSON.stringify(unknown)}`)
  if (new Set(wanted).size < wanted.length) throw new UsageError(`--only has a name twice: ${given}`)
  return groupNames.filter((name) => wanted.includes(name))
}

function minutesOf(given: string): number {
  const minutes = Number(given)
  if (!(minutes > 0 && minutes <= MOST_MINUTES))
    throw new UsageError(`--minutes must be more than 0 and at most ${MOST_MINUTES}, not ${given}`)
  return minutes
}
