// Scale's ids: 24 hex digits, of which the first eight are the seconds of their making, as its customers know them from the
// document database behind it. A task's is derived from our own id, so that it is known wherever ours is.

const TASK_ID = /^[0-9a-f]{24}$/

/** The id under which customers know what has this UUIDv7 for us: its second, and its random half (62 bits). */
export function scaleId(uuid: string): string {
  const digits = uuid.replaceAll('-', '')
  const seconds = Math.floor(Number.parseInt(digits.slice(0, 12), 16) / 1000)
  return seconds.toString(16).padStart(8, '0') + digits.slice(16)
}

/** Whether a text has the form of a Scale id; our own ids have not. */
export const isScaleId = (text: string): boolean => TASK_ID.test(text)
