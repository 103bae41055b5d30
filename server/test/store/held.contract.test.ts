// What every database must do for held deliveries that wait for nobody: they are found, a chunk of tasks at a time, and no others.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Project } from '../../src/domain/project.ts'
import { decide, type Task } from '../../src/domain/task.ts'
import { contractDatabases, type Opened } from '../support/contract-databases.ts'
import { claimAll } from '../support/claims.ts'
import { deliveryOf, destinationOf, newId, newProject, newTask } from '../support/store.ts'

for (const { name, open } of contractDatabases) {
  describe(`Held deliveries on ${name}`, () => {
    let opened: Opened
    let project: Project

    before(async () => {
      opened = await open(() => 1_000_000)
      project = newProject()
      await opened.store.createProject({ project, keys: [], secrets: [] })
    })
    after(() => opened.end())

    async function move(task: Task, verb: 'complete' | 'edit', response: string): Promise<Task> {
      const { task: next, event } = decide(task, verb, { response }, 1_000_000)!
      const id = newId()
      const row = { id, task_id: task.id, sequence: next.event_count, ...event!, created_at: 1_000_000 }
      const delivery = deliveryOf(next, id, { event_type: event!.type })
      await opened.store.transition({ task: next, event: { ...row, body: '{}' }, delivery, arrival: null })
      return next
    }

    /** A task of which one delivery is pending, and two are held behind it. */
    async function twoHeld(): Promise<string> {
      const task = newTask(project)
      await opened.store.createTask({ task, destination: destinationOf(project), idempotency: null })
      await move(await move(await move(task, 'complete', '1'), 'edit', '2'), 'edit', '3')
      return task.id
    }

    async function statesOf(task_id: string): Promise<string[]> {
      const page = { limit: 10, after: null }
      const { rows } = await opened.store.listDeliveries(
        { project_id: project.id, mode: 'live' },
        { task_id },
        page,
      )
      return rows.map(({ state }) => state).toReversed()
    }

    it('releases the first one where nothing is before it, and leaves the others', async () => {
      const ids = [await twoHeld(), await twoHeld(), await twoHeld()].toSorted()
      const [well, stuck, last] = ids as [string, string, string]
      await opened.run(
        `update deliveries set state = 'failed', due_at = null where task_id = '${stuck}' and state = 'pending'`,
      )

      let after: string | null = ''
      const seen: string[] = []
      while (after !== null) {
        after = await opened.store.releaseStuck(after, 1)
        if (after !== null) seen.push(after)
      }
      assert.deepEqual(seen, ids)
      assert.deepEqual(await statesOf(well), ['pending', 'held', 'held'])
      assert.deepEqual(await statesOf(stuck), ['failed', 'pending', 'held'])
      assert.deepEqual(await statesOf(last), ['pending', 'held', 'held'])
      const { claimed } = await opened.store.claim(claimAll)
      assert.deepEqual(claimed.map(({ task_id }) => task_id).toSorted(), ids)
    })
  })
}
