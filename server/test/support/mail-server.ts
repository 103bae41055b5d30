// Mail servers for tests on 127.0.0.1: a real one that keeps what it is given, and one that says what a script tells it to.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { selfSigned } from './self-signed.ts'

/** A mail as it came: who it was from and for, whether over TLS, as which user, and its bytes. */
export type Received = {
  from: string
  to: string[]
  secure: boolean
  user: string | undefined
  text: string
}

export type TestMailServer = AsyncDisposable & { port: number; mails: Received[] }

/**
 * Starts a mail server that takes everything, but for what `options` refuse. It offers no encryption unless it is given other
 * `disabledCommands` or `secure`; its certificate is self-signed.
 */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<TestMailServer> {
  const mails: Received[] = []
  const server = new SMTPServer({
    ...selfSigned,
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 1,
    onAuth: ({ username }, _session, callback) => callback(null, { user: username }),
    onData(stream, { envelope, secure, user }, callback) {
      let text = ''
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => (text += chunk))
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address
        mails.push({ from, to: envelope.rcptTo.map(({ address }) => address), secure, user, text })
        callback(null, 'taken')
      })
    },
    ...options,
  })
  // A client that breaks off is what some tests are about.
  server.on('error', () => {})
  const listener = server.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port,
    mails,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}

export type ScriptedMailServer = AsyncDisposable & { port: number; connections: Socket[] }

/**
 * Starts a server that sends what `answer` gives for each line that comes, `''` for the connection itself; undefined is silence.
 */
export async function startScriptedMailServer(
  answer: (line: string, socket: Socket) => string | undefined,
): Promise<ScriptedMailServer> {
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    const say = (line: string) => {
      const reply = answer(line, socket)
      if (reply !== undefined) socket.write(`${reply}\r\n`)
    }
    let rest = ''
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) say(line)
    })
    say('')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An error that the real server answers with this code and text. */
export const reply = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode })
