// The headers of a callback that goes out as a mail, alike in every dialect: what a program filters by, and no secret, since
// mails are read and kept on their way. The callback's signature is left out for the same reason as its auth key: it would say
// less than it seems to, as mails arrive long after the five minutes that a signature is good for.
import type { Ready } from '../store/store.ts'

/**
 * The headers of one attempt of a delivery. `task_id` is the id that the task's customer knows. The `message-id`, which gets
 * its domain when it is sent, is the delivery's: all its attempts are one mail to those who drop duplicates, and a re-send
 * is another.
 */
export function mailHeaders(
  { id, event_id, event_type, resend }: Ready,
  { task_id, attempt }: { task_id: string; attempt: number },
): Record<string, string> {
  return {
    subject: `${event_type} of task ${task_id}`,
    'message-id': id,
    'webhook-id': event_id,
    'ringback-event': event_type,
    'ringback-task': task_id,
    'ringback-delivery': id,
    'ringback-attempt': String(attempt),
    ...(resend === 1 ? { 'ringback-resend': '1' } : {}),
  }
}
