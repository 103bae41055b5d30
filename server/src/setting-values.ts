// How the text of a setting becomes its value. Each throws RangeError with the remedy, which config.ts puts behind the setting's name.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { isMailAddress } from './domain/destination.ts'
import { parseMailUrl, type MailPlace } from './domain/mail.ts'

const bad = (message: string): never => {
  throw new RangeError(message)
}

/** Any text. */
export const text = (value: string) => value

/** Whole numbers from `low` to `high`. */
export function whole(low: number, high: number) {
  return (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < low || number > high)
      bad(`use a whole number from ${low} to ${high}`)
    return number
  }
}

/** One of some words. */
export function oneOf<const T extends string>(...choices: T[]) {
  return (value: string): T => choices.find((choice) => choice === value) ?? bad(`use ${choices.join(', ')}`)
}

/** Ranges or single addresses, separated by commas; their prefixes are no shorter than `shortest`. */
export function cidrs(shortest: 0 | 1) {
  const check = (range: string): string => {
    const [address = '', length, ...rest] = range.split('/')
    const longest = isIP(address) === 6 && !address.includes('%') ? 128 : isIP(address) === 4 ? 32 : -1
    const bits = length === undefined ? longest : /^\d{1,3}$/.test(length) ? Number(length) : -1
    return rest.length === 0 && bits >= shortest && bits <= longest
      ? range
      : bad(`${range} is no range such as 10.0.0.0/8 or fd00::/8`)
  }
  return (value: string): string[] =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(check)
}

/** An absolute URL with http or https. */
export function httpUrl(value: string): string {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) bad('use an absolute http(s) URL')
  return value
}

/** An http(s) URL, without slashes at its end. */
export const baseUrl = (value: string): string => httpUrl(value).replace(/\/+$/, '')

/** The URL of a PostgreSQL database. */
export const postgresUrl = (value: string): string =>
  URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol) && new URL(value).host !== ''
    ? value
    : bad('use postgres://user:password@host:port/database')

/** Where e-mails go; a folder becomes absolute. */
export function mailPlace(value: string): MailPlace {
  const place = parseMailUrl(value) ?? bad('use smtp://user:password@host:port, smtps://… or file:FOLDER')
  return place.kind === 'folder' ? { ...place, folder: resolve(place.folder) } : place
}

/** An e-mail address alone. */
export const mailAddress = (value: string): string =>
  isMailAddress(value) ? value : bad('use an e-mail address alone, such as callbacks@example.com')

/** So many in so many seconds; null for `off`. */
export function rate(value: string): { count: number; window_s: number } | null {
  if (value === 'off') return null
  const [, count, window] = /^([1-9]\d{0,5})\/([1-9]\d{0,4})$/.exec(value) ?? bad('use COUNT/SECONDS, or off')
  return { count: Number(count), window_s: Number(window) }
}

/** 32 bytes in base64. */
export function secretKey(value: string): Uint8Array {
  const bytes = Buffer.from(value, 'base64')
  return bytes.length === 32 && bytes.toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '')
    ? bytes
    : bad('use 32 bytes in base64, such as the output of `openssl rand -base64 32`')
}

/** A key that fits into a header. */
export const bearer = (value: string): string =>
  /^[\x21-\x7e]+$/.test(value) ? value : bad('use the key as it was shown')

/** A key that nobody guesses. */
export const adminKey = (value: string): string =>
  value.length >= 32 ? value : bad('use 32 characters or more')
