// Mails as files, for trying things out: each is whole from the moment its name is there.
import { access, constants, mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { unanswered, type Outcome } from '../domain/outcome.ts'
import { accepted } from './mail-outcome.ts'
import type { MailMessage } from './mail-message.ts'

/** Writes a mail into `folder`, which is made if it is not there; one of the same id is replaced. */
export async function writeMail(folder: string, { id, bytes }: MailMessage): Promise<Outcome> {
  const name = basename(`${id}.eml`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const unfinished = join(folder, `.${name}`)
    await writeFile(unfinished, bytes, { mode: 0o600 })
    await rename(unfinished, join(folder, name))
  } catch (error) {
    return unwritable(error)
  }
  return accepted(`250 written to ${name}`, null)
}

/** Says whether mails could be written into `folder`, without making it. */
export async function probeFolder(folder: string): Promise<Outcome> {
  try {
    await access(folder, constants.W_OK)
  } catch (error) {
    const parent = dirname(folder)
    return codeOf(error) === 'ENOENT' && parent !== folder ? probeFolder(parent) : unwritable(error)
  }
  return accepted('250 it can be written', null)
}

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

function unwritable(error: unknown): Outcome {
  const code = codeOf(error)
  return unanswered(
    'connection',
    `The mail could not be written into the folder of RINGBACK_SMTP_URL (${code}).`,
  )
}
