import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newProject, newTask } from '../../test/support/store.ts'
import { reportOf } from './call.ts'
import { print } from './json.ts'
import { decide, taskStatuses, transitions, type TaskVerb, type VerbInput } from './task.ts'

const verbs = Object.keys(transitions) as TaskVerb[]

test('no sequence of verbs leaves the table of transitions', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...verbs), { maxLength: 40 }), (sequence) => {
      let task = newTask(newProject(), { status: 'pending' })
      for (const verb of sequence) {
        const decision = decide(task, verb, { verdict: 'fixed', response: '1' }, 5)
        const allowed = (transitions[verb].from as readonly string[]).includes(task.status)
        assert.equal(decision !== undefined, allowed, `${verb} from ${task.status}`)
        if (decision === undefined) continue
        assert.ok(taskStatuses.includes(decision.task.status))
        assert.equal(decision.task.version, task.version + 1)
        assert.equal(decision.task.event_count, task.event_count + (decision.event ? 1 : 0))
        task = decision.task
      }
    }),
  )
})

test('a resumed task is where it was when it was suspended', () => {
  for (const status of ['pending', 'processing', 'waiting', 'polling'] as const) {
    const suspended = decide(newTask(newProject(), { status }), 'suspend', {}, 5)?.task
    assert.ok(suspended)
    assert.equal(decide(suspended, 'resume', {}, 6)?.task.status, status)
  }
})

test('a recall clears what the completion left', () => {
  const done = decide(newTask(newProject(), { expires_at: 9 }), 'complete', { response: '1' }, 5)?.task
  assert.ok(done)
  const { response, completed_at, expires_at, audit_status } = decide(done, 'recall', {}, 6)?.task ?? done
  assert.deepEqual([response, completed_at, expires_at, audit_status], [null, null, null, null])
})

test('a response that is written anew is not that of a call any more', () => {
  const answer = { status: 201, headers: {}, duration_ms: 7 }
  const call_report = print({ started_at: 3, retry_count: 1, answer })
  const done = newTask(newProject(), { status: 'completed', response: '"a"', call_report })
  const after = (verb: TaskVerb, input: VerbInput) => decide(done, verb, input, 5)?.task ?? done
  assert.equal(after('audit', { verdict: 'fixed' }).call_report, call_report)
  for (const rewritten of [
    after('edit', { response: '"b"' }),
    after('audit', { verdict: 'fixed', response: '"b"' }),
  ]) {
    assert.deepEqual(reportOf(rewritten), { started_at: 3, retry_count: 1, answer: null })
  }
})
