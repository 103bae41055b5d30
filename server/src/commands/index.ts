// Every command, one line each, and the families of those of two words.
import { arrivalCommands } from './arrival.ts'
import { auditCommands } from './audit.ts'
import { backupCommand } from './backup.ts'
import type { Command } from './command.ts'
import { completion } from './completion.ts'
import { configList } from './config.ts'
import { copyCommand } from './copy.ts'
import { deliveryCommands } from './delivery.ts'
import { demo } from './demo.ts'
import { destinationCommands } from './destination.ts'
import { dev } from './dev.ts'
import { doctor } from './doctor.ts'
import { keyCommands } from './key.ts'
import { migrateCommand } from './migrate.ts'
import { projectCommands } from './project.ts'
import { replayCommands } from './replay.ts'
import { secretsRotate } from './secrets.ts'
import { serve } from './serve.ts'
import { taskCommands } from './task.ts'
import { tokenCommands } from './token.ts'

export const commands: readonly Command[] = [
  dev,
  demo,
  serve,
  migrateCommand,
  secretsRotate,
  backupCommand,
  copyCommand,
  configList,
  doctor,
  completion(() => ({ commands, families })),
  ...projectCommands,
  ...keyCommands,
  ...taskCommands,
  ...deliveryCommands,
  ...replayCommands,
  ...destinationCommands,
  ...arrivalCommands,
  ...tokenCommands,
  ...auditCommands,
]

/** The first words that several commands share, with what those are about. */
export const families: [name: string, summary: string][] = [
  ['secrets', 'Secrets in the database: changing the key that seals them.'],
  ['project', 'Projects: create, list, show, and rotate their secrets.'],
  ['key', 'Keys of a project: create, list, revoke.'],
  ['task', 'Tasks: create, watch and settle them.'],
  ['delivery', 'Deliveries: what went out, and sending it again.'],
  ['replay', 'Replays: how far they are.'],
  ['destination', 'Destinations: how they fare, pause, resume.'],
  ['arrival', 'Requests that reached an inbound URL.'],
  ['token', 'The vault: values for the headers of requests.'],
  ['audit', 'The audit log: who changed what.'],
]
