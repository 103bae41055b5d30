import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../domain/errors.ts'
import { createGuesses } from './key-guesses.ts'

test('a flood of addresses, or of keys, makes the oldest be forgotten instead of filling the memory', () => {
  const guesses = createGuesses({ count: 1, window_s: 60 }, () => 0)
  const from = (i: number) => ({ ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` })
  const isAdmitted = (i: number, hash: string) => {
    try {
      guesses.admit(from(i), hash)
      return true
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'rate_limited')
      return false
    }
  }
  guesses.right('known')
  for (let i = 0; i < 50_000; i++) guesses.wrong(from(i), 'wrong')
  assert.ok(!isAdmitted(0, 'new'))
  assert.ok(isAdmitted(0, 'known'))
  guesses.wrong(from(50_000), 'wrong')
  assert.ok(isAdmitted(0, 'new'))
  assert.ok(!isAdmitted(1, 'new'))
  for (let i = 0; i < 50_000; i++) guesses.right(`key-${i}`)
  assert.ok(!isAdmitted(1, 'known'))
  assert.ok(isAdmitted(1, 'key-49999'))
})
