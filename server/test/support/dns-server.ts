// A name server for tests: real UDP packets on 127.0.0.1, answers out of a table. It knows A and AAAA and one question a
// packet, which is all that resolvers send.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import ipaddr from 'ipaddr.js'

/**
 * What a name answers: its addresses of both families, `silent` for never, or `broken` for SERVFAIL. A key such as
 * `AAAA a.test` goes before `a.test` for that type.
 */
export type Zone = Record<string, readonly string[] | 'silent' | 'broken'>

export type DnsServer = AsyncDisposable & {
  /** For a resolver's list of servers. */
  address: string
  /** Read at every question, so that a test may change it. */
  zone: Zone
  /** The questions so far, as `A receiver.test`. */
  questions: string[]
  /** Resolves at the next question. */
  nextQuestion(): Promise<unknown>
}

const TYPES = new Map([
  [1, 'A'],
  [28, 'AAAA'],
])
const SERVFAIL = 2
const NXDOMAIN = 3

/** Starts a name server for a zone; each record lives `ttl_s` seconds. A name that the zone lacks does not exist. */
export async function startDnsServer(zone: Zone, ttl_s = 30): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const questions: string[] = []
  const server: DnsServer = {
    address: '',
    zone,
    questions,
    nextQuestion: () => once(socket, 'message'),
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
  socket.on('message', (packet, peer) => {
    const { name, type, end } = readQuestion(packet)
    questions.push(`${type} ${name}`)
    const entry = server.zone[`${type} ${name}`] ?? server.zone[name]
    if (entry === 'silent') return
    const found =
      typeof entry === 'object' ? entry.filter((it) => it.includes(':') === (type === 'AAAA')) : []
    const code = entry === 'broken' ? SERVFAIL : entry === undefined ? NXDOMAIN : 0
    socket.send(reply(packet.subarray(0, end), found, code, ttl_s), peer.port, peer.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  server.address = `127.0.0.1:${socket.address().port}`
  return server
}

/** The question follows the header of 12 bytes: labels with their lengths, a zero, type and class. */
function readQuestion(packet: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = packet.readUInt8(at); length > 0; length = packet.readUInt8(at)) {
    labels.push(packet.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  const type = TYPES.get(packet.readUInt16BE(at + 1)) ?? 'other'
  return { name: labels.join('.'), type, end: at + 5 }
}

function reply(question: Buffer, addresses: readonly string[], code: number, ttl_s: number): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(addresses.length, 6)
  // No authority and no additional records, though the question may have carried one (EDNS).
  head.fill(0, 8, 12)
  const records = addresses.map((address) => {
    const bytes = Buffer.from(ipaddr.parse(address).toByteArray())
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0) // the name stands at byte 12
    record.writeUInt16BE(bytes.length === 4 ? 1 : 28, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(ttl_s, 6)
    record.writeUInt16BE(bytes.length, 10)
    return Buffer.concat([record, bytes])
  })
  return Buffer.concat([head, ...records])
}
