// Where `dev` is reached, and who may see its page: it shows tasks without a key, so it is for this machine only, even
// when the port is open to the network or a tunnel leads here.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import type { Config } from '../../config.ts'

/** What `dev` opens as destinations, besides what it is told. */
export const LOOPBACK = ['127.0.0.0/8', '::1/128']

// An address to listen on that is none to connect to, and the one to use instead.
const reachable: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

/** The base URL for whoever is on this machine. */
export const localUrl = ({ host, port }: Pick<Config, 'host' | 'port'>): string =>
  `http://${reachable[host] ?? (host.includes(':') ? `[${host}]` : host)}:${port}`

/** A free port in place of 0: the project's URLs carry it, so it must be known before anything listens. */
export async function choosePort({ host, port }: Pick<Config, 'host' | 'port'>): Promise<number> {
  if (port !== 0) return port
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const free = (server.address() as AddressInfo).port
  server.close()
  await once(server, 'close')
  return free
}

const isLoopback = (address: string) => /^(?:::ffff:)?127\.|^::1$/.test(address)
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i

/**
 * Whether a request comes from this machine and means it. A peer on loopback may be a tunnel, which says so by a header or
 * by the name it was asked for; a foreign name on our own address is DNS rebinding by some page in the browser.
 */
export function isFromHere({ socket, headers }: IncomingMessage, base_url: string): boolean {
  const { remoteAddress = '', localAddress } = socket
  const host = headers.host ?? ''
  const isNear = isLoopback(remoteAddress) || remoteAddress === localAddress
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined
  return isNear && !isForwarded && (LOOPBACK_HOST.test(host) || host === new URL(base_url).host)
}
