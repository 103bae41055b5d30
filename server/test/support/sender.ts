// A whole sending edge for tests: name server, resolver, guard and sender, which may reach loopback unless told otherwise.
import type { TestContext } from 'node:test'
import type { Outcome } from '../../src/domain/outcome.ts'
import { createEgress, type Egress } from '../../src/engine/egress.ts'
import type { HostsFile } from '../../src/engine/hosts-file.ts'
import {
  createHttpSender,
  type HttpSender,
  type HttpSenderOptions,
  type SendRequest,
} from '../../src/engine/http-sender.ts'
import { createResolver, type Resolver } from '../../src/engine/resolver.ts'
import { startDnsServer, type DnsServer, type Zone } from './dns-server.ts'
import { startRawReceiver, type Receiver } from './receiver.ts'

/** An answer of two bytes that leaves the connection open. */
export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

export type TestSender = {
  dns: DnsServer
  resolver: Resolver
  egress: Egress
  sender: HttpSender
  /** Sends to a URL a small POST that has 5 s, but for what is given. */
  send: (url: string, request?: Partial<SendRequest>, signal?: AbortSignal) => Promise<Outcome>
}

/** Starts a sending edge that resolves out of `zone`, and stops it when the test ends. */
export async function startSender(
  t: TestContext,
  {
    zone = {},
    hosts = { find: async () => undefined },
    allow = ['127.0.0.0/8'],
    ...options
  }: Omit<HttpSenderOptions, 'egress'> & { zone?: Zone; hosts?: HostsFile; allow?: string[] } = {},
): Promise<TestSender> {
  const dns = await startDnsServer(zone)
  const resolver = createResolver({ servers: [dns.address], hosts })
  const egress = createEgress({ allow, resolver })
  const sender = createHttpSender({ egress, ...options })
  t.after(async () => {
    await sender.close()
    resolver.close()
    await dns[Symbol.asyncDispose]()
  })
  return {
    dns,
    resolver,
    egress,
    sender,
    send: (url, request = {}, signal) =>
      sender.send({ url, lane: 'a', headers: {}, body: '{}', timeout_ms: 5000, ...request }, signal),
  }
}

/** Waits for something to start, and disposes of it when the test ends. */
export async function using<T extends AsyncDisposable>(t: TestContext, starting: Promise<T>): Promise<T> {
  const started = await starting
  t.after(() => started[Symbol.asyncDispose]())
  return started
}

/** A receiver that answers every request with these bytes, and keeps the connection. */
export function answering(t: TestContext, bytes: string | Buffer): Promise<Receiver> {
  return using(
    t,
    startRawReceiver((socket) => socket.write(bytes)),
  )
}
