// What the engine needs of a logger; pino has it.

type Write = (fields: Record<string, unknown>, message: string) => void

/** A structured logger. The message is a constant name of what happened, everything that varies is in the fields. */
export type Log = { info: Write; warn: Write; error: Write }
