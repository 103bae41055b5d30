// Signatures of callbacks: ECDSA over P-256 with SHA-256, r and s side by side (not DER), base64, in a header of its own
// (contract §3.5). A project's signing secret is the private key as PEM; receivers need the public one.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** Makes a private key as PEM (PKCS #8). */
export const createSigningKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

/** The public key of a private one, as PEM (SubjectPublicKeyInfo). */
export const publicKeyOf = (privateKey: string): string =>
  createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })

/** Reads a private key; it is worth keeping. */
export const readSigningKey = (privateKey: string): KeyObject => createPrivateKey(privateKey)

/** The signature of these bytes; another one each time. */
export const signBody = (key: KeyObject, body: string): string =>
  sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' }).toString('base64')
