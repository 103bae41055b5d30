// What customers of Stardust write: the headers that sign a request, and the records of an import. Nothing here is taken from the
// dialect's own code.
import { hash } from 'node:crypto'

export type AccessKey = { id: string; secret: string }

/** In hex. */
export const md5 = (text: string): string => hash('md5', text)

/** The three headers of a request at this time. */
export const signed = ({ id, secret }: AccessKey, time_ms: number): Record<string, string> => ({
  'X-STARDUST-KEY': id,
  'X-TS': String(time_ms),
  'X-SIGN': md5(`${time_ms}&${secret}&${id}`),
})

/** A record with an image; `callbackUrl` in its additional information when given. */
export const imageRecord = (uniqueIdentifier: string, callbackUrl?: string, more: object = {}) => ({
  attachmentType: 'IMAGE',
  attachment: `https://files.example.net/${uniqueIdentifier}.jpg`,
  metadata: {
    uniqueIdentifier,
    additionalInfo: { ...(callbackUrl === undefined ? {} : { callbackUrl }), ...more },
  },
})

/** A file of these records, one a line. */
export const jsonLines = (records: readonly unknown[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('')
