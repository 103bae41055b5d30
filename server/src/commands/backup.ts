// `ringback backup`: copies the SQLite database, while its server goes on.
import { resolve } from 'node:path'
import { readConfig } from '../config.ts'
import { defineCommand, settingFlags } from './command.ts'

const MEBIBYTE = 1024 * 1024

export const backupCommand = defineCommand({
  name: 'backup',
  summary: 'Copies the SQLite database to a new file, while its server goes on, and checks the copy.',
  settings: ['data'],
  args: [{ name: 'FILE' }],
  async run(flags, [file = '']) {
    // Loaded here, so that the commands that only call a server start at once.
    const { backupDatabase } = await import('../app.ts')
    const { config } = readConfig(settingFlags(flags), process.env)
    const target = resolve(file)
    const started_at = Date.now()
    const bytes = await backupDatabase(config, target)
    const took_s = ((Date.now() - started_at) / 1000).toFixed(1)
    console.log(`${target}: ${(bytes / MEBIBYTE).toFixed(1)} MiB in ${took_s} s, checked`)
  },
})
