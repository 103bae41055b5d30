// What the HTTP edge is given by the composition root; no file here reaches for anything else.
import type { Registry } from 'prom-client'
import type { Verbs } from '../dialects/apply.ts'
import type { CheckUrl } from '../dialects/callback-url.ts'
import type { Guesses } from '../dialects/caller.ts'
import type { Sources } from '../dialects/credentials.ts'
import type { Dialects } from '../dialects/dialect.ts'
import type { Directory } from '../dialects/directory.ts'
import type { LimitInbound, UntilMoved } from '../dialects/front.ts'
import type { KeyUses } from '../dialects/key-uses.ts'
import type { Rate } from '../domain/project.ts'
import type { Store } from '../store/store.ts'
import type { Patience } from './connections.ts'
import type { Hosts } from './hosts.ts'

type Write = (fields: Record<string, unknown>, message: string) => void

/** A structured logger; pino is one. */
export type Log = { info: Write; warn: Write; error: Write }

export type ApiConfig = {
  /** The base of the URLs that we hand out, without a slash at the end. */
  public_url: string
  /** In bytes. */
  body_limit: number
  /** Of one address in any window of time. Null switches the limit off. */
  inbound_rate: Rate | null
  /** Of wrong keys of one address, until further ones are refused unread. Null switches the limit off. */
  wrong_key_rate: Rate | null
  /** Of one key. Null switches the limit off. */
  api_rate: Rate | null
  /** Of one AsyncQueue team in each window of time. Null switches the limit off. */
  team_rate: Rate | null
  /** CIDR ranges of proxies whose `x-forwarded-for` is believed. */
  trust_proxy: readonly string[]
  /** At most, of all addresses together. */
  connections: number
  /** At most, of one address that is no trusted proxy. */
  connections_per_address: number
  surface: 'all' | 'api' | 'inbound'
  /** Whether metrics and the admin routes have a server of their own, and are on no other. */
  admin_apart: boolean
  /** Null: nobody is an administrator. */
  admin_key: string | null
  /** Whether callbacks may go to e-mail addresses. */
  mail: boolean
  version: string
}

/** What the composition root gives. */
export type ApiOptions = Sources & {
  store: Store
  verbs: Verbs
  dialects: Dialects
  directory: Directory
  keyUses: Pick<KeyUses, 'used'>
  egress: { checkUrl: CheckUrl }
  config: ApiConfig
  registry: Registry
  log: Log
  /** With slow clients; that for real ones unless told. */
  patience?: Patience
}

/** What routes are made from. */
export type Deps = ApiOptions & {
  untilMoved: UntilMoved
  limitInbound: LimitInbound
  guesses: Guesses
  hosts: Hosts
  isStopping: () => boolean
}
