import assert from 'node:assert/strict'
import { test } from 'node:test'
import { table, type Column } from './table.ts'

const columns: Column[] = [
  { name: 'id' },
  { name: 'state' },
  { name: 'tried', optional: true },
  { name: 'next', optional: true },
  { name: 'to', flexible: true },
]
const row = (...texts: string[]) => texts.map((text) => ({ text }))
const rows = [
  row('0123456789', 'delivered', '1', '', 'https://example.com/callbacks'),
  row('9876543210', 'held', '12', '', 'https://example.com/'),
]
const at = (width: number) => table(columns, rows, { width, paint: (_, text) => text }).split('\n')

test('a table with room shows everything but columns without any value', () => {
  assert.deepEqual(at(Number.POSITIVE_INFINITY), [
    'ID          STATE      TRIED  TO',
    '0123456789  delivered  1      https://example.com/callbacks',
    '9876543210  held       12     https://example.com/',
  ])
})

test('a table cuts flexible columns, then leaves optional ones out, then writes below one another', () => {
  assert.deepEqual(at(40), [
    'ID          STATE      TRIED  TO',
    '0123456789  delivered  1      https://e…',
    '9876543210  held       12     https://e…',
  ])
  assert.deepEqual(at(36), [
    'ID          STATE      TO',
    '0123456789  delivered  https://exam…',
    '9876543210  held       https://exam…',
  ])
  assert.deepEqual(at(20), [
    'id     0123456789',
    'state  delivered',
    'tried  1',
    'to',
    '  https://example.co',
    '  m/callbacks',
    '',
    'id     9876543210',
    'state  held',
    'tried  12',
    'to',
    '  https://example.co',
    '  m/',
  ])
})
