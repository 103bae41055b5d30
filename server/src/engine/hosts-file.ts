// The hosts file, read by ourselves because our resolver never asks the operating system. It is small and local, so it is
// looked at again every few seconds: an edit takes effect without a restart.
import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'

const CHECK_EVERY_MS = 5000
const defaultPath = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts'

export type HostsFile = {
  /** The addresses the file gives for a lower-case name, in file order; undefined when it has none. */
  find(name: string): Promise<readonly string[] | undefined>
}

/**
 * Opens the hosts file at `path`; a missing or unreadable one is empty. It is read again when its time or size changed,
 * which is checked at most every 5 s of the clock `now` (milliseconds, monotonic).
 */
export function createHostsFile({
  path = defaultPath,
  now = () => performance.now(),
}: { path?: string; now?: () => number } = {}): HostsFile {
  let names = new Map<string, string[]>()
  let seen = ''
  let nextCheckAt = -Infinity
  let checking: Promise<void> | undefined

  async function check(): Promise<void> {
    try {
      const { mtimeMs, size } = await stat(path)
      const stamp = `${mtimeMs}:${size}`
      if (stamp === seen) return
      names = parseHosts(await readFile(path, 'utf8'))
      seen = stamp
    } catch {
      names = new Map()
      seen = ''
    }
  }

  return {
    async find(name) {
      if (now() >= nextCheckAt) {
        nextCheckAt = now() + CHECK_EVERY_MS
        checking = check().finally(() => (checking = undefined))
      }
      if (checking !== undefined) await checking
      return names.get(name)
    },
  }
}

/** Reads the text of a hosts file: name in lower case → its addresses, in file order. Lines that are none are skipped. */
export function parseHosts(text: string): Map<string, string[]> {
  const names = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const alias of aliases) {
      const name = alias.toLowerCase()
      names.set(name, [...(names.get(name) ?? []), address])
    }
  }
  return names
}
