// Secrets that must be read again are sealed with AES-256-GCM. The name of what is sealed is bound in, so that a sealed
// value copied into another row does not open there; the id of the key stands in front, so that two keys can be told apart.
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  randomBytes,
  type KeyObject,
} from 'node:crypto'

export type Cipher = {
  /** The id of the key that seals. */
  readonly key_id: string
  /** What every text begins with that this cipher has sealed. */
  readonly prefix: string
  seal(text: string, name: string): string
  /** Opens what any of the keys has sealed. Throws WrongSecretKeyError when none has. */
  open(sealed: string, name: string): string
}

/** No key that was given opens what is in the database. */
export class WrongSecretKeyError extends Error {
  constructor() {
    super(
      'RINGBACK_SECRET_KEY (for `dev`, secret.key in its data folder) is not the key that this database was written with, nor is RINGBACK_SECRET_KEY_OLD: set the first to that key or, to change keys, the second',
    )
    this.name = 'WrongSecretKeyError'
  }
}

const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_ID_CHARS = 16
// The form before there were key ids; which key has sealed it shows by trying.
const UNNAMED = 's1.'
const NAMED = 's2.'

/** So many characters of a sealed text tell which key has sealed it. */
export const PREFIX_CHARS = NAMED.length + KEY_ID_CHARS + 1

type Key = { prefix: string; secret: KeyObject }

/** The id of a key: enough of a hash to know it again, and nothing to guess 32 random bytes from. */
export const keyIdOf = (key: Uint8Array): string =>
  hash('sha256', Buffer.concat([Buffer.from('ringback key id:'), key])).slice(0, KEY_ID_CHARS)

/** Makes a cipher that seals with `key` and opens what it or `old_key` has sealed; each has 32 bytes. */
export function createCipher(key: Uint8Array, old_key: Uint8Array | null = null): Cipher {
  const keys = [key, ...(old_key === null ? [] : [old_key])].map(toKey)
  const { prefix, secret } = toKey(key)
  return {
    key_id: keyIdOf(key),
    prefix,
    seal: (text, name) => prefix + encrypt(secret, text, name),
    open(sealed, name) {
      const unnamed = sealed.startsWith(UNNAMED)
      const start = unnamed ? UNNAMED.length : PREFIX_CHARS
      for (const candidate of keys) {
        if (!unnamed && !sealed.startsWith(candidate.prefix)) continue
        const text = decrypt(candidate.secret, sealed.slice(start), name)
        if (text !== undefined) return text
      }
      throw new WrongSecretKeyError()
    },
  }
}

function toKey(key: Uint8Array): Key {
  if (key.length !== 32) throw new RangeError(`the secret key has ${key.length} bytes, not 32`)
  return { prefix: `${NAMED}${keyIdOf(key)}.`, secret: createSecretKey(key) }
}

function encrypt(secret: KeyObject, text: string, name: string): string {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(name))
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  )
}

/** The text, or undefined when the key, the name or a byte is another than at the sealing. */
function decrypt(secret: KeyObject, base64: string, name: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, IV_BYTES))
    .setAAD(Buffer.from(name))
    .setAuthTag(bytes.subarray(-TAG_BYTES))
  const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8')
  try {
    return text + decipher.final('utf8')
  } catch {
    return undefined
  }
}
