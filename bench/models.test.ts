// A migration that adds a table or a column must not leave the bench with rows that the server would never have made.
import { test } from 'node:test'
import { createProject } from './api.ts'
import { answer500, startBroken } from './broken-receivers.ts'
import {
  addSettled,
  addWaiting,
  afterHours,
  checkCopy,
  checkResend,
  settledModel,
  waitingModel,
} from './models.ts'
import { onEmptyDatabase, sqlite } from './setups.ts'
import { startSink } from './sink-process.ts'

test('the server shows copies of its own rows as its own, and sends a settled one again', async () => {
  await using stack = new AsyncDisposableStack()
  const sink = stack.adopt(await startSink(), (started) => started.stop())
  const broken = stack.use(await startBroken(answer500))
  await onEmptyDatabase(sqlite, async ({ database, start }) => {
    const before = await start()
    const key = await createProject(before, sink.url)
    const settled = await settledModel(before, key, sink)
    const waiting = await waitingModel(before, key, broken.url, 1)
    await before.stop()

    const first = await addSettled(database, settled, 0, 20)
    const second = await addSettled(database, settled, 20, 50)
    const third = await addWaiting(database, waiting, 20, afterHours())
    const after = await start()
    for (const id of [first, second]) {
      await checkCopy(after, key, id, 'delivered')
      await checkResend(after, key, id, sink)
    }
    await checkCopy(after, key, third, 'pending')
    await after.stop()
  })
})
