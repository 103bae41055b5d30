// A dialect's front: the routes that its customers call, in a scope of their own, with its own errors. It stands under its
// mount (`/scale`), and at the root of each host name that a project of the dialect has.
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AppError } from '../domain/errors.ts'
import type { Rate } from '../domain/project.ts'
import type { Task, TaskStatus } from '../domain/task.ts'
import type { Store } from '../store/store.ts'
import type { Verbs } from './apply.ts'
import type { Guesses } from './caller.ts'
import type { Judge } from './callback-url.ts'
import type { Sources } from './credentials.ts'
import type { Dialects } from './dialect.ts'
import type { Directory } from './directory.ts'

type Write = (fields: Record<string, unknown>, message: string) => void

/**
 * The task once its status is none of `whileIn` (all open ones unless told), or as it is when `wait_ms` is over, the server stops
 * or the caller is gone.
 */
export type UntilMoved = (
  task: Task,
  bounds: { wait_ms: number; whileIn?: readonly TaskStatus[]; reply: FastifyReply },
) => Promise<Task>

/**
 * Admits a request that needs no key but a one-time secret (0), or says how many milliseconds its address has to wait; `now` is
 * in milliseconds.
 */
export type LimitInbound = (address: string, now: number) => number

/** What a front's routes are made from. */
export type FrontDeps = WorkDeps & { untilMoved: UntilMoved; limitInbound: LimitInbound; guesses: Guesses }

/** What the work on records is made from. */
export type WorkDeps = Sources &
  Judge & {
    store: Store
    verbs: Verbs
    dialects: Dialects
    directory: Directory
    config: {
      /** The base of the URLs that we hand out, without a slash at the end. */
      public_url: string
      /** In bytes. */
      body_limit: number
      mail: boolean
      /** Requests that a project's customers may make; null switches the limit off. */
      team_rate: Rate | null
    }
    log: { info: Write; warn: Write; error: Write }
  }

/** An error as a dialect says it: its HTTP status and the text of its JSON body. */
export type Refusal = { status: number; body: string }

export type Front = {
  /** Where it stands beside the others, such as `/scale`; its routes follow as its platform has them, such as `/v1/task/:id`. */
  readonly mount: string
  /** Says any error in the dialect's own form, those of paths and methods that it does not have included. */
  refuse(error: AppError): Refusal
  /**
   * Adds its routes, without the mount, and if need be its own parsers and hooks. Whatever a route throws becomes an AppError and
   * is answered by `refuse`.
   */
  register(app: FastifyInstance, deps: FrontDeps): void | Promise<void>
}
