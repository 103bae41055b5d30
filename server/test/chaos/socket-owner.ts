// Which process is at the other end of a connection within this machine, as Linux tells it in /proc: the receiver must know
// who sent what, and a callback does not say.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'

const INODE = 9

/** The one of these processes that has the other end of an accepted IPv4 connection; undefined when none has it any more. */
export function ownerOf({ remotePort, localPort }: Socket, pids: readonly number[]): number | undefined {
  const [near, far] = [remotePort, localPort].map((port) => `:${hex(port ?? 0)}`)
  const line = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, local, remote]) => local?.endsWith(near ?? '') && remote?.endsWith(far ?? ''))
  const link = `socket:[${line?.[INODE]}]`
  return pids.find((pid) => linksOf(pid).includes(link))
}

const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, '0')

/** What a process has open; nothing when it is gone. */
function linksOf(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`
    return readdirSync(folder).map((name) => readLink(`${folder}/${name}`))
  } catch {
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    // Closed since it was listed.
    return ''
  }
}
