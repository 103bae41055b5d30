import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventTypes } from '../../domain/event.ts'
import { taskStatuses } from '../../domain/task.ts'
import { callbackStatus, statesOf, statusNumber, statusWord } from './status.ts'

test('every state of ours has a number and a word', () => {
  const shown = taskStatuses.map((status) => {
    const state = { status, audit_status: null }
    return `${status} ${statusNumber(state)} ${statusWord(state)}`
  })
  assert.deepEqual(shown, [
    'pending 1 waiting for distribution',
    'processing 3 being worked on',
    'waiting 2 distributed',
    'polling 3 being worked on',
    'suspended 7 suspended',
    'completed 9 completed',
    'failed 6 error',
    'canceled 10 error',
    'expired 10 error',
  ])
})

test('a complete task that its audit rejected is being worked on again', () => {
  assert.equal(statusNumber({ status: 'completed', audit_status: 'rejected' }), 3)
  assert.equal(statusNumber({ status: 'completed', audit_status: 'approved' }), 9)
  assert.equal(statusNumber({ status: 'completed', audit_status: 'fixed' }), 9)
})

test('a number leads back to all states that have it, and to no other', () => {
  const states = Array.from({ length: 10 }, (_, i) => statesOf(i + 1))
  assert.ok(states[2]?.some(([status, verdict]) => status === 'completed' && verdict === 'rejected'))
  assert.deepEqual(states[8], [
    ['completed', null],
    ['completed', 'approved'],
    ['completed', 'fixed'],
  ])
  assert.deepEqual([states[3], states[4], states[7]], [[], [], []])
  assert.equal(states.flat().length, taskStatuses.length * 4)
})

test('customers are told of completions, errors and audits, and of nothing else', () => {
  const untold = eventTypes.filter((type) => callbackStatus[type] === undefined)
  assert.deepEqual(untold, ['task.suspended', 'task.edited', 'task.recalled'])
})
