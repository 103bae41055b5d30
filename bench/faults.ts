// How programs of the bench end: a figure of a run that lost or doubled something is no figure.

/** A run that lost, doubled or refused something. */
class BenchFault extends Error {}

/** Ends the run with a fault unless the condition holds. */
export function check(condition: boolean, fault: string): asserts condition {
  if (!condition) throw new BenchFault(fault)
}

/**
 * Runs a program of the bench to its end; a fault is said in one line, and the status is then 1. An interrupted one takes with it
 * what it has started.
 */
export async function runBench(main: () => Promise<void>): Promise<void> {
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    await main()
  } catch (error) {
    if (!(error instanceof BenchFault)) throw error
    console.error(`fault: ${error.message}`)
    // Servers that are still there end with it.
    process.exit(1)
  }
}
