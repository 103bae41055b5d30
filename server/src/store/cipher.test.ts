import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { createCipher, keyIdOf, WrongSecretKeyError } from './cipher.ts'

const key = (fill: number) => new Uint8Array(32).fill(fill)

/** As programs sealed before a value named its key. */
function sealUnnamed(bytes: Uint8Array, text: string, name: string): string {
  const iv = Buffer.alloc(12, 5)
  const cipher = createCipheriv('aes-256-gcm', bytes, iv).setAAD(Buffer.from(name))
  const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `s1.${sealed.toString('base64')}`
}

test('what is sealed names its key and opens under its name only', () => {
  const cipher = createCipher(key(1))
  const sealed = cipher.seal('whsec_ü', 'secret:a')
  assert.ok(sealed.startsWith(cipher.prefix) && cipher.prefix.includes(keyIdOf(key(1))))
  assert.notEqual(sealed, cipher.seal('whsec_ü', 'secret:a'))
  assert.equal(cipher.open(sealed, 'secret:a'), 'whsec_ü')
  assert.throws(() => cipher.open(sealed, 'secret:b'), WrongSecretKeyError)
})

test('the old key opens what it has sealed, named or not, and seals nothing', () => {
  const both = createCipher(key(2), key(1))
  const old = createCipher(key(1))
  assert.equal(both.open(old.seal('named', 'n'), 'n'), 'named')
  for (const fill of [1, 2]) assert.equal(both.open(sealUnnamed(key(fill), 'unnamed', 'n'), 'n'), 'unnamed')
  assert.throws(() => old.open(both.seal('x', 'n'), 'n'), WrongSecretKeyError)
  assert.equal(createCipher(key(2)).open(both.seal('x', 'n'), 'n'), 'x')
})

test('a text that no given key has sealed is refused, however it is made', () => {
  const cipher = createCipher(key(2), key(1))
  const sealed = createCipher(key(3)).seal('x', 'n')
  const forged = cipher.prefix + sealed.slice(cipher.prefix.length)
  const cut = cipher.seal('x', 'n').slice(0, cipher.prefix.length + 8)
  for (const text of [sealed, forged, cut, sealUnnamed(key(3), 'x', 'n'), 's1.', '', 'whsec_x'])
    assert.throws(() => cipher.open(text, 'n'), WrongSecretKeyError, text)
  assert.throws(() => createCipher(new Uint8Array(31)), /31 bytes, not 32/)
})
