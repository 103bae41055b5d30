// `ringback migrate`: brings the database to this program's schema and ends.
import { readConfig } from '../config.ts'
import { defineCommand, settingFlags } from './command.ts'

export const migrateCommand = defineCommand({
  name: 'migrate',
  summary: 'Brings the database to the schema of this program.',
  settings: ['data', 'database_url'],
  async run(flags) {
    // Loaded here, so that the commands that only call a server start at once.
    const { migrateDatabase } = await import('../app.ts')
    const { config } = readConfig(settingFlags(flags), process.env)
    const { version, applied } = await migrateDatabase(config)
    console.log(
      applied.length === 0
        ? `nothing to do: schema version ${version}`
        : `applied ${applied.join(', ')}: schema version ${version}`,
    )
  },
})
