import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forbiddenRange, parseAllowList } from './address-range.ts'

const forbidden: [address: string, range: string][] = [
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['100.64.0.1', 'carrier-grade-nat'],
  ['100.127.255.254', 'carrier-grade-nat'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['172.16.0.1', 'private'],
  ['172.31.255.254', 'private'],
  ['192.0.0.8', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['192.88.99.1', 'reserved'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.254', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::7f00:1', 'reserved'],
  ['::8.8.8.8', 'reserved'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:a00:1', 'private'],
  ['::ffff:169.254.169.254', 'link-local'],
  ['::ffff:0:127.0.0.1', 'rfc6145'],
  ['64:ff9b::127.0.0.1', 'rfc6052'],
  ['64:ff9b::8.8.8.8', 'rfc6052'],
  ['64:ff9b:1::1', 'rfc6052'],
  ['100::1', 'discard'],
  ['100:0:0:1::1', 'reserved'],
  ['2001::1', 'teredo'],
  ['2001:2::1', 'benchmarking'],
  ['2001:10::1', 'deprecated-orchid'],
  ['2001:20::1', 'orchid2'],
  ['2001:db8::1', 'reserved'],
  ['2002:7f00:1::', '6to4'],
  ['3fff::1', 'reserved'],
  ['4000::1', 'reserved'],
  ['5f00::1', 'segment-routing'],
  ['fc00::1', 'unique-local'],
  ['fd12:3456::1', 'unique-local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local'],
  ['fec0::1', 'deprecated-site-local'],
  ['ff02::1', 'multicast'],
  ['168.63.129.16', 'cloud platform'],
  ['::ffff:a83f:8110', 'cloud platform'],
  ['not an address', 'no address'],
]

test('every range that is not globally routable is forbidden, whatever form carries it', () => {
  for (const [address, range] of forbidden) {
    assert.equal(forbiddenRange(address, []), range, address)
  }
})

test('globally routable addresses pass', () => {
  const open = ['8.8.8.8', '1.1.1.1', '93.184.216.34', '100.128.0.1', '172.32.0.1', '2606:4700::1111']
  for (const address of [...open, '2a00:1450::1', '::ffff:8.8.8.8']) {
    assert.equal(forbiddenRange(address, []), undefined, address)
  }
})

test('an allow-list entry opens its range and nothing beside it', () => {
  const allow = parseAllowList(['10.1.2.3/16', 'fd00::/8', '192.168.0.7', '::1'])
  for (const address of ['10.1.0.0', '10.1.255.255', '::ffff:10.1.9.9', 'fd12::1', '192.168.0.7', '::1']) {
    assert.equal(forbiddenRange(address, allow), undefined, address)
  }
  for (const address of ['10.2.0.0', 'fc00::1', '192.168.0.8', '::2', '127.0.0.1', '::a01:909']) {
    assert.notEqual(forbiddenRange(address, allow), undefined, address)
  }
})

test('an entry in IPv4-mapped form means the IPv4 range', () => {
  const allow = parseAllowList(['::ffff:127.0.0.0/104'])
  assert.equal(forbiddenRange('127.9.9.9', allow), undefined)
  assert.equal(forbiddenRange('::ffff:127.9.9.9', allow), undefined)
  assert.equal(forbiddenRange('128.0.0.1', allow), undefined)
  assert.notEqual(forbiddenRange('10.0.0.1', allow), undefined)
})

test('an entry that is no range is an error that names it', () => {
  for (const entry of [
    '',
    'localhost',
    '10/8',
    '10.0.0.0/33',
    '010.0.0.0/8',
    'fd00::/129',
    '10.0.0.0/',
    ' 10.0.0.0/8',
  ]) {
    assert.throws(() => parseAllowList(['127.0.0.0/8', entry]), {
      message: `The egress allow-list entry "${entry}" is no CIDR range such as 10.0.0.0/8 or fd00::/8`,
    })
  }
})
