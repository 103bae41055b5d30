// A name server for tests: real UDP packets on 127.0.0.1, answers out of a table, and TCP for those that are too long for a
// packet. It knows A and AAAA and one question a packet, which is all that resolvers send.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * What a name answers: its addresses of both families, `silent` for never, `broken` for SERVFAIL, or another name that it
 * stands for. A key such as `AAAA a.test` goes before `a.test` for that type.
 */
export type Zone = Record<string, readonly string[] | 'silent' | 'broken' | { cname: string }>

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

const A = 1
const CNAME = 5
const AAAA = 28
const TYPES = new Map([
  [A, 'A'],
  [AAAA, 'AAAA'],
])
const SERVFAIL = 2
const NXDOMAIN = 3
// What resolvers say that they take in a packet is about this much.
const PACKET_BYTES = 1232

/** Starts a name server for a zone; each record lives `ttl_s` seconds. A name that the zone lacks does not exist. */
export async function startDnsServer(zone: Zone, ttl_s = 30): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const stream = createServer()
  const questions: string[] = []
  const server: DnsServer = {
    address: '',
    zone,
    questions,
    nextQuestion: () => once(socket, 'message'),
    async [Symbol.asyncDispose]() {
      stream.close()
      socket.close()
      await once(socket, 'close')
    },
  }

  function answer(packet: Buffer): Buffer | undefined {
    const { name, type, end } = readQuestion(packet)
    questions.push(`${type} ${name}`)
    const entry = server.zone[`${type} ${name}`] ?? server.zone[name]
    if (entry === 'silent') return undefined
    const code = entry === 'broken' ? SERVFAIL : entry === undefined ? NXDOMAIN : 0
    return reply(packet.subarray(0, end), recordsOf(entry, type), code, ttl_s)
  }

  socket.on('message', (packet, peer) => {
    const bytes = answer(packet)
    if (bytes === undefined) return
    if (bytes.length <= PACKET_BYTES) return socket.send(bytes, peer.port, peer.address)
    // Truncated: ask again by TCP.
    const head = Buffer.from(bytes.subarray(0, readQuestion(packet).end))
    head.writeUInt16BE(0x8380, 2)
    head.fill(0, 6, 12)
    socket.send(head, peer.port, peer.address)
  })
  stream.on('connection', (connection) => {
    connection
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        const long = answer(bytes.subarray(2))
        if (long === undefined) return
        const length = Buffer.alloc(2)
        length.writeUInt16BE(long.length)
        connection.end(Buffer.concat([length, long]))
      })
  })
  // TCP first: its ports are the ones that others hold.
  stream.listen(0, '127.0.0.1')
  await once(stream, 'listening')
  const { port } = stream.address() as AddressInfo
  socket.bind(port, '127.0.0.1')
  await once(socket, 'listening')
  server.address = `127.0.0.1:${port}`
  return server
}

type Answer = { type: number; data: Buffer }

function recordsOf(entry: Zone[string] | undefined, type: string): Answer[] {
  if (entry === undefined || typeof entry === 'string') return []
  if ('cname' in entry) return [{ type: CNAME, data: encodeName(entry.cname) }]
  return entry
    .filter((address) => address.includes(':') === (type === 'AAAA'))
    .map((address) => Buffer.from(ipaddr.parse(address).toByteArray()))
    .map((data) => ({ type: data.length === 4 ? A : AAAA, data }))
}

const encodeName = (name: string) =>
  Buffer.concat([
    ...name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ])

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

function reply(question: Buffer, answers: readonly Answer[], code: number, ttl_s: number): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x8180 | code, 2)
  head.writeUInt16BE(answers.length, 6)
  // No authority and no additional records, though the question may have carried one (EDNS).
  head.fill(0, 8, 12)
  const records = answers.map(({ type, data }) => {
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0) // the name stands at byte 12
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(ttl_s, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([head, ...records])
}
