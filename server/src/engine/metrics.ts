// What Prometheus may ask of the engine. No label names a project or a destination: those have no bound.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { CallStep } from '../domain/call.ts'
import type { DeliveryState } from '../domain/delivery.ts'
import type { OutcomeKind } from '../domain/outcome.ts'

export type Metrics = {
  attempted(outcome: OutcomeKind, duration_ms: number): void
  called(step: CallStep, outcome: OutcomeKind, duration_ms: number): void
  claimed(what: 'deliveries' | 'calls', count: number): void
  settled(state: DeliveryState): void
  leaseLost(): void
  fenceLost(): void
  pruned(count: number): void
  breakerOpened(): void
  destinationPaused(): void
}

const DURATION_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Registers the engine's metrics; `inFlight` and `waiting` are read whenever they are collected. */
export function createMetrics(
  registry: Registry,
  { inFlight, waiting }: { inFlight: () => number; waiting: () => Promise<number> },
): Metrics {
  const registers = [registry]
  const attempts = new Counter({
    name: 'ringback_attempts_total',
    help: 'Attempts by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'ringback_attempt_duration_seconds',
    help: 'From the begin of an attempt to the end of its answer',
    buckets: DURATION_BUCKETS_S,
    registers,
  })
  const calls = new Counter({
    name: 'ringback_calls_total',
    help: 'Attempts of target calls, polls and fetches of results, by outcome',
    labelNames: ['step', 'outcome'],
    registers,
  })
  const deliveries = new Counter({
    name: 'ringback_deliveries_settled_total',
    help: 'Deliveries that got their final state',
    labelNames: ['state'],
    registers,
  })
  const claims = new Counter({
    name: 'ringback_claims_total',
    help: 'Times that the database was asked for what is due',
    labelNames: ['what'],
    registers,
  })
  const claimed = new Counter({
    name: 'ringback_claimed_total',
    help: 'Deliveries and calls that were found due',
    labelNames: ['what'],
    registers,
  })
  const lostLeases = new Counter({
    name: 'ringback_lost_leases_total',
    help: 'Attempts whose end nobody saw, found and retried by the rescuer',
    registers,
  })
  const lostFences = new Counter({
    name: 'ringback_fence_lost_total',
    help: 'Attempts that could not be written because their lease had gone to somebody else',
    registers,
  })
  const prunedTasks = new Counter({
    name: 'ringback_pruned_tasks_total',
    help: 'Tasks deleted after their retention time',
    registers,
  })
  const breakers = new Counter({
    name: 'ringback_breakers_opened_total',
    help: 'Destinations that failed so often in a row that only one delivery at a time is let through',
    registers,
  })
  const paused = new Counter({
    name: 'ringback_destinations_paused_total',
    help: 'Destinations that were paused after a day of nothing but failures',
    registers,
  })
  // These two register themselves.
  void new Gauge({
    name: 'ringback_waiting_deliveries',
    help: 'Pending deliveries, due or not, counted to 100,000',
    registers,
    async collect() {
      // Without it the others are still worth having, most of all when the database is away.
      await waiting().then(
        (count) => this.set(count),
        () => this.remove(),
      )
    },
  })
  void new Gauge({
    name: 'ringback_in_flight',
    help: 'Attempts under way',
    registers,
    collect() {
      this.set(inFlight())
    },
  })
  return {
    attempted(outcome, duration_ms) {
      attempts.inc({ outcome })
      duration.observe(duration_ms / 1000)
    },
    called(step, outcome, duration_ms) {
      calls.inc({ step, outcome })
      duration.observe(duration_ms / 1000)
    },
    claimed(what, count) {
      claims.inc({ what })
      claimed.inc({ what }, count)
    },
    settled: (state) => deliveries.inc({ state }),
    leaseLost: () => lostLeases.inc(),
    fenceLost: () => lostFences.inc(),
    pruned: (count) => prunedTasks.inc(count),
    breakerOpened: () => breakers.inc(),
    destinationPaused: () => paused.inc(),
  }
}
