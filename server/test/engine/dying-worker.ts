// A process that takes the record which is due, saves `half`, says so, and goes on until it is killed. Its database is the
// SQLite file that its argument names.
import { createClock } from '../../src/engine/clock.ts'
import { createRecordWorker } from '../../src/engine/record-worker.ts'
import { openSqliteDriver } from '../../src/store/sqlite.ts'
import { createTestLog } from '../support/log.ts'
import { storeOn } from '../support/store.ts'

const store = storeOn(await openSqliteDriver(process.argv[2] ?? ''))

createRecordWorker({
  store,
  clock: createClock(() => store.now()),
  log: createTestLog(),
  fetch: () => {
    throw new Error('This work reads no URL')
  },
  workOf: async () => async (_record, tools) => {
    await tools.save('half')
    console.log('saved')
    return new Promise(() => setInterval(() => {}, 1000))
  },
}).start()
