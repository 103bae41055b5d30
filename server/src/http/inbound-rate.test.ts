import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressGroup, createLimiter } from './inbound-rate.ts'

test('any window of time has at most so many admitted requests, and refused ones do not count', () => {
  const limiter = createLimiter({ count: 30, window_s: 60 })
  const admitted: number[] = []
  for (let now = 0; now < 300_000; now += 777) if (limiter('192.0.2.1', now) === 0) admitted.push(now)
  for (const start of admitted) {
    assert.ok(admitted.filter((time) => time >= start && time < start + 60_000).length <= 30)
  }
  assert.ok(admitted.length >= 120)
})

test('a refused caller hears exactly how long to wait', () => {
  const limiter = createLimiter({ count: 1, window_s: 60 })
  assert.equal(limiter('192.0.2.1', 1000), 0)
  const wait_ms = limiter('192.0.2.1', 11_000)
  assert.equal(wait_ms, 50_000)
  assert.equal(limiter('192.0.2.1', 11_000 + wait_ms - 1), 1)
  assert.equal(limiter('192.0.2.1', 11_000 + wait_ms), 0)
})

test('an address that a proxy forwards with its port is the same caller on every port', () => {
  assert.equal(addressGroup('203.0.113.10:1001'), '203.0.113.10')
  assert.equal(addressGroup('[2001:db8:1:2::1]:1001'), addressGroup('2001:db8:1:2::9'))
})

test('an IPv6 site is one caller, and so is an IPv4 address in IPv6 clothes', () => {
  const same: [string, string][] = [
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::9'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
  ]
  for (const [a, b] of same) assert.equal(addressGroup(a), addressGroup(b))
  assert.notEqual(addressGroup('2001:db8:1:2::1'), addressGroup('2001:db8:1:3::1'))
  assert.equal(addressGroup('x'.repeat(1000)).length, 64)
})
