// Every command, one line each.
import type { Command } from './command.ts'
import { configList } from './config.ts'
import { dev } from './dev.ts'
import { migrateCommand } from './migrate.ts'
import { serve } from './serve.ts'

export const commands: readonly Command[] = [dev, serve, migrateCommand, configList]
