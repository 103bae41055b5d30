// What `doctor` asks of each part of the program: one thing to look at, and what was seen. A check changes nothing, and
// knows nothing of the others.

export type Level = 'ok' | 'warn' | 'fail'

/** What a check has found, as one sentence without its full stop, and what to do about it. */
export type Finding = { level: Level; found: string; remedy: string | null }

/** One check; one that throws counts as failed. */
export type Check = { name: string; run: () => Finding | Promise<Finding> }

export const ok = (found: string): Finding => ({ level: 'ok', found, remedy: null })
export const warn = (found: string, remedy: string): Finding => ({ level: 'warn', found, remedy })
export const fail = (found: string, remedy: string | null): Finding => ({ level: 'fail', found, remedy })
