// A wire that a test can cut: a TCP proxy in front of a server that stays up.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type TcpProxy = AsyncDisposable & {
  port: number
  /** Breaks every connection and refuses new ones. */
  cut(): void
  /** Lets nothing through any more, though connections stay open, as a network does that swallows everything. */
  hush(): void
  /** Lets connections through again. */
  mend(): void
}

/** Starts a proxy to a port of this machine; `falsify` may change what comes from there, a chunk at a time. */
export async function startTcpProxy(
  port: number,
  falsify: (chunk: Buffer) => Buffer = (chunk) => chunk,
): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  let isHushed = false
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (isCut) return near.destroy()
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (from === far) from.on('data', (chunk: Buffer) => void (isHushed || near.write(falsify(chunk))))
      else from.pipe(to)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    hush() {
      isHushed = true
      for (const socket of sockets) socket.unpipe()
    },
    mend: () => void (isCut = isHushed = false),
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
