// Secrets that must be read again are sealed with AES-256-GCM. The name of what is sealed is bound in, so that a sealed
// value copied into another row does not open there.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export type Cipher = { seal(text: string, name: string): string; open(sealed: string, name: string): string }

/** The key does not open what is in the database. */
export class WrongSecretKeyError extends Error {
  constructor() {
    super('RINGBACK_SECRET_KEY is not the key that this database was written with: set it to that key')
    this.name = 'WrongSecretKeyError'
  }
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** Makes a cipher from 32 bytes. `open` throws when the key, the name or the text is another. */
export function createCipher(key: Uint8Array): Cipher {
  if (key.length !== 32) throw new RangeError(`the secret key has ${key.length} bytes, not 32`)
  return {
    seal(text, name) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name))
      const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `s1.${sealed.toString('base64')}`
    },
    open(sealed, name) {
      const bytes = Buffer.from(sealed.slice(3), 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
        .setAAD(Buffer.from(name))
        .setAuthTag(bytes.subarray(-TAG_BYTES))
      const body = bytes.subarray(IV_BYTES, -TAG_BYTES)
      return decipher.update(body, undefined, 'utf8') + decipher.final('utf8')
    },
  }
}
