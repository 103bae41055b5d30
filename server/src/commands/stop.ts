// Stops an app on SIGTERM and SIGINT: the first signal drains, a second one kills, and a kill loses nothing.
import type { App } from '../app.ts'

/** Resolves when the app has stopped after a signal; rejects at once when its database has failed for good. */
export function untilStopped(app: App, say: (message: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (stopping) {
        process.kill(process.pid, 'SIGKILL')
        return
      }
      stopping = true
      say(`${signal}: finishing what is in flight; a second signal ends at once`)
      app.stop().then(resolve, reject)
    }
    void app.store.failed.then(reject)
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
