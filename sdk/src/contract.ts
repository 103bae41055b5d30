// Generated from the OpenAPI document by `npm run contract`: do not edit. Times are ISO 8601 UTC.
// oxlint-disable max-lines -- as long as the API is large

export type TaskStatus =
  | 'pending'
  | 'processing'
  | 'waiting'
  | 'polling'
  | 'suspended'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'expired'

export type AuditVerdict = 'approved' | 'rejected' | 'fixed'

/** What is called for a task */
export type TaskRequest = {
  url: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  timeout_s: number
  retries: number
  backoff: 'exponential' | 'linear'
}

/** How a provider is asked whether it is done */
export type TaskPoll = {
  interval_s: number
  max_duration_s: number
}

/** What the body of an inbound callback means */
export type TaskResolve = {
  status_path: string
  done_values: string[]
  fail_values: string[]
  ignore_values: string[]
  error_path: string | null
}

/** The unit of asynchronous work */
export type Task = {
  id: string
  /** The id in the form of the project's dialect */
  external_id: string | null
  type: string
  status: TaskStatus
  audit_status: AuditVerdict | null
  mode: 'live' | 'test'
  /** Any JSON value */
  params: unknown
  /** Any JSON value */
  response: unknown
  error: {
    message: string
    code?: string
    /** Any JSON value */
    details?: unknown
  } | null
  metadata: Record<string, unknown>
  unique_id: string | null
  callback_url: string | null
  /** Whether the latest event reached its receiver; null until that is decided */
  callback_succeeded: boolean | null
  callback_succeeded_at: string | null
  created_at: string
  updated_at: string
  completed_at: string | null
  expires_at: string | null
  /** What is called for it; null where nothing is. Its headers and body are not shown */
  request: TaskRequest | null
  not_before: string | null
  poll: TaskPoll | null
  resolve: TaskResolve | null
  version: number
}

/** A task with its one-time inbound URL */
export type TaskCreated = Task & {
  /** 64 hex characters, shown once */
  callback_id: string
  /** One POST of any JSON to it completes the task */
  resolve_url: string
}

export type EventType =
  | 'task.errored'
  | 'task.completed'
  | 'task.failed'
  | 'task.canceled'
  | 'task.expired'
  | 'task.suspended'
  | 'task.edited'
  | 'task.audit.approved'
  | 'task.audit.rejected'
  | 'task.audit.fixed'
  | 'task.recalled'

/** Something that happened to a task that its customer is told about */
export type Event = {
  id: string
  task_id: string
  type: EventType
  /** Counts the events of the task from 1 */
  sequence: number
  /** What its maker said: the reason, or the verdict and comments */
  detail: Record<string, unknown> | null
  created_at: string
}

/** The body of a native callback: an event, and its task as it was then */
export type CallbackEvent = {
  /** The event; the same in every attempt and re-send, as in `webhook-id` */
  id: string
  type: EventType
  timestamp: string
  /** Counts the events of the task from 1 */
  sequence: number
  task_id: string
  status: TaskStatus
  /** Any JSON value */
  response: unknown
  /** What its maker said: the reason, or the verdict and comments */
  detail: Record<string, unknown> | null
  task: Task
}

export type DeliveryState = 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'canceled'

/** One event on its way to one destination */
export type Delivery = {
  id: string
  task_id: string
  event_id: string
  event: EventType
  /** Counts the events of the task from 1 */
  sequence: number
  destination_id: string
  url: string
  state: DeliveryState
  /** Why it was given up */
  reason: ('retries_exhausted' | 'window_over' | 'max_age' | 'gone' | 'not_retryable' | 'canceled') | null
  /** Its event was sent before */
  resend: boolean
  attempt_count: number
  created_at: string
  settled_at: string | null
  next_attempt_at: string | null
  give_up_at: string | null
}

/** One request of a delivery, and what became of it */
export type Attempt = {
  number: number
  started_at: string
  duration_ms: number
  /** `delivered` is a 2xx, `status` any other; a mail server may have `refused` a mail for good or `deferred` it; with the rest no status line came */
  outcome:
    | 'delivered'
    | 'status'
    | 'refused'
    | 'deferred'
    | 'timeout'
    | 'protocol'
    | 'tls'
    | 'connection'
    | 'dns'
    | 'forbidden'
    | 'unknown'
  status: number | null
  response_headers: Record<string, string> | null
  response_body: string | null
  /** The answer was longer, or slower, than what was read of it */
  truncated: boolean
  remote_address: string | null
  error: string | null
}

/** One request that was made for a task, and what became of it */
export type CallAttempt = {
  /** The request itself, a poll, or reading the result that a poll led to */
  step: 'request' | 'poll' | 'result'
} & Attempt

/** A delivery with its attempts and the plan of those to come */
export type DeliveryDetail = Delivery & {
  attempts: Attempt[]
  /** When the attempts to come will be made */
  plan: string[]
}

/** One request that reached an inbound URL; credentials are not kept of its headers */
export type Arrival = {
  id: string
  task_id: string
  received_at: string
  remote_address: string | null
  headers: Record<string, string>
  /** Null when it was over the limit */
  body: string | null
  verdict: 'resolved' | 'repeated' | 'conflicting' | 'early' | 'late' | 'invalid' | 'progress'
}

/** A job that sends again whatever matches */
export type Replay = {
  id: string
  state: 'running' | 'done'
  filter: {
    state: DeliveryState
    destination_id: string | null
    from: string | null
    to: string
  }
  /** How many events matched when it was made */
  count: number
  /** How many of them got a fresh delivery */
  replayed: number
  /** How many did not, since they were sent again otherwise or deleted meanwhile; known at the end */
  skipped: number
  created_at: string
  updated_at: string
  finished_at: string | null
}

/** How many deliveries a replay sends again, or would */
export type ReplayStarted = {
  /** Null for a dry run */
  id: string | null
  state: 'running' | 'done' | 'dry_run'
  /** How many events matched when it was made */
  count: number
}

/** Where deliveries go: an origin or a mail domain, apart for each project and mode */
export type Destination = {
  id: string
  /** Its origin with the port, or `mailto:` and the domain */
  destination: string
  state: 'active' | 'paused'
  paused_at: string | null
  /** `failing` is a day of nothing but failures; a success resumes it */
  pause_reason: ('operator' | 'failing') | null
  /** Open, one delivery at a time is let through */
  breaker: 'closed' | 'open'
  breaker_opened_at: string | null
  /** Since when nothing has succeeded */
  failing_since: string | null
  /** Pending deliveries, counted to 10,000 */
  waiting: number
  /** When the oldest of those next due was made */
  oldest_waiting_at: string | null
  next_due_at: string | null
  attempts_last_hour: number
  /** Of the attempts of the last hour, from 0 to 1 */
  success_rate: number | null
  /** What 95 % of them did not exceed, in milliseconds */
  p95_ms: number | null
  created_at: string
}

/** A tenant: its dialect and settings */
export type Project = {
  id: string
  name: string
  dialect: string
  host: string | null
  default_callback_url: string | null
  /** Until the status line */
  timeout_ms: number
  expires_in_s: number | null
  /** Whether the events of one task wait for each other */
  order: 'task' | 'none'
  retention_days: number
  retry: {
    retries: number
    window_s: number
  }
  limits: {
    /** Attempts at a time, at each destination */
    in_flight: number
    /** Attempts begun in a second, at each destination; null for no limit */
    per_second: number | null
  }
  created_at: string
  updated_at: string
}

/** The keys and secrets of a project in both modes, shown once */
export type Credentials = {
  live_key: string
  test_key: string
  operator_key: string
  test_operator_key: string
  callback_auth_key: string
  test_callback_auth_key: string
  signing_secret: string
  /** Stardust’s name of `live_key` */
  access_key_id?: string
  /** Stardust’s name of `signing_secret` */
  access_key_secret?: string
  /** With which super.AI’s callbacks are verified */
  signing_public_key?: string
  /** AsyncQueue’s name of `signing_secret` */
  webhook_secret?: string
}

export type ProjectCreated = {
  project: Project
  credentials: Credentials
}

export type KeyScope = 'tasks:read' | 'tasks:write' | 'deliveries' | 'admin' | 'operator'

/** A key, without itself */
export type Key = {
  id: string
  mode: 'live' | 'test'
  role: 'customer' | 'operator'
  name: string | null
  /** What it may do on this API */
  scopes: KeyScope[]
  /** How it begins */
  hint: string
  created_at: string
  expires_at: string | null
  /** Up to a minute late; null: never yet */
  last_used_at: string | null
}

export type KeyCreated = Key & {
  /** Shown once */
  key: string
}

/** A signing secret or callback auth key that callbacks carry now */
export type Secret = {
  id: string
  kind: 'signing' | 'callback_auth'
  /** Null is both */
  mode: ('live' | 'test') | null
  value: string
  created_at: string
  /** The end of its grace; null is the current one */
  expires_at: string | null
}

/** The new secret, and when those before it end at the latest */
export type SecretRotated = Secret & {
  older_expire_at: string
}

/** A value of the vault, without itself */
export type Token = {
  id: string
  name: string
  created_at: string
}

export type TokenRevoked = Token & {
  revoked_at: string
}

/** What one step of changing the key that seals has done */
export type Resealed = {
  /** Tells the key that seals now from others */
  key_id: string
  resealed: number
  /** Exact below 10000 */
  remaining: number
}

export type Act =
  | 'project.create'
  | 'project.update'
  | 'key.create'
  | 'key.revoke'
  | 'secret.rotate'
  | 'secrets.read'
  | 'secrets.reseal'
  | 'token.create'
  | 'token.revoke'
  | 'delivery.resend'
  | 'delivery.cancel'
  | 'delivery.replay'
  | 'destination.pause'
  | 'destination.resume'
  | 'arrival.apply'

/** Who did what; it holds no secret */
export type Audit = {
  id: string
  created_at: string
  act: Act
  /** A holder of the admin key or of a project’s key, `ringback dev` by itself, or a command with the database open */
  actor: 'admin' | 'key' | 'dev' | 'cli'
  /** The key, if it was that of a project */
  key_id: string | null
  /** Where the request came from */
  address: string | null
  project_id: string | null
  mode: ('live' | 'test') | null
  /** The id of what it was done to */
  object: string | null
  detail: Record<string, unknown>
}

/** Why a request was refused (RFC 9457); some codes have further members */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  /** Stable */
  code: string
  [k: string]: unknown
}

/** What an inbound URL answers, in the words of its project’s dialect */
export type ResolvedTask = {
  task: {
    id: string
    status: string
    /** Null where the body did not complete the task: it reported progress, or a failure */
    result: {
      statusCode: number
      headers: {}
      body: string
      duration: number
    } | null
    createdAt: string
    completedAt: string | null
  }
}

/** Why an inbound URL refused a request */
export type InboundRefusal = {
  error: string
}

export type TaskPage = {
  data: Task[]
  next_cursor: string | null
}

export type EventPage = {
  data: Event[]
  next_cursor: string | null
}

export type DeliveryPage = {
  data: Delivery[]
  next_cursor: string | null
}

export type DestinationPage = {
  data: Destination[]
  next_cursor: string | null
}

export type ArrivalPage = {
  data: Arrival[]
  next_cursor: string | null
}

export type CallAttemptPage = {
  data: CallAttempt[]
  next_cursor: string | null
}

export type ProjectPage = {
  data: Project[]
  next_cursor: string | null
}

export type KeyPage = {
  data: Key[]
  next_cursor: string | null
}

export type SecretPage = {
  data: Secret[]
  next_cursor: string | null
}

export type TokenPage = {
  data: Token[]
  next_cursor: string | null
}

export type AuditPage = {
  data: Audit[]
  next_cursor: string | null
}

export type CreateTask = {
  type?: string
  /** Any JSON value */
  params?: unknown
  metadata?: Record<string, unknown>
  unique_id?: string
  /** http(s) URL or e-mail address; the default is the project’s */
  callback_url?: string
  /** Seconds */
  expires_in_s?: number
  request?: {
    /** http(s) URL. `{resolve_url}` in it, in a header’s value or in the body becomes the task’s inbound URL, and the task waits for that */
    url: string
    method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
    /** A value `tok_…` stands for a token of the vault */
    headers?: Record<string, string>
    /** Any JSON, sent as its text; a string is sent as it stands, null is no body */
    body?: unknown
    /** Seconds; of an attempt, redirects included; 30 by default */
    timeout_s?: number
    retries?: number
    backoff?: 'exponential' | 'linear'
  }
  poll?: {
    /** A template; the other fields override it */
    provider?: 'fal' | 'replicate' | 'runwayml' | 'luma' | 'elevenlabs-dubbing' | 'stability-video'
    /** With `{startResult.body.<path>}` */
    url_template?: string
    /** Dotted path to the status in an answer */
    status_path?: string
    /**
     * Statuses that end it well
     *
     * @maxItems 50
     */
    done_values?: string[]
    /**
     * Statuses that end it badly
     *
     * @maxItems 50
     */
    fail_values?: string[]
    /** Seconds; between two polls; 5 by default */
    interval_s?: number
    /** Seconds; after which the task expires; 600 by default */
    max_duration_s?: number
    /** Dotted path to the response; all of the answer without one */
    result_path?: string
    /** Where the response is read in the end, if not from the last answer */
    result_url_template?: string | null
    error_path?: string | null
    /** Whether polls of the request’s own host carry its headers */
    forward_auth?: boolean
  }
  resolve?: {
    /** A template; the other fields override it */
    provider?: 'fal' | 'replicate'
    /** Dotted path to the status in a callback’s body */
    status_path?: string
    /**
     * Statuses that complete the task
     *
     * @maxItems 50
     */
    done_values?: string[]
    /**
     * Statuses that fail it
     *
     * @maxItems 50
     */
    fail_values?: string[]
    /**
     * Statuses that leave it as it is
     *
     * @maxItems 50
     */
    ignore_values?: string[]
    error_path?: string | null
  }
  not_before?: string
}

export type ListTasksQuery = {
  status?: TaskStatus
  type?: string
  audit_status?: AuditVerdict
  callback_succeeded?: boolean
  unique_id?: string
  created_after?: string
  created_before?: string
  /** The most rows of a page; 20 by default */
  limit?: number
  /** next_cursor of the page before */
  cursor?: string
}

export type GetTaskQuery = {
  /** Seconds to wait until it is settled */
  wait?: number
}

export type PageQuery = {
  /** The most rows of a page; 20 by default */
  limit?: number
  /** next_cursor of the page before */
  cursor?: string
}

export type AwaitTask = {
  /** Seconds */
  expires_in_s?: number
}

export type CompleteTask = {
  /** Any JSON value */
  response: unknown
}

export type FailTask = {
  error: {
    message: string
    code?: string
    /** Any JSON value */
    details?: unknown
  }
  during?: 'setup'
}

export type CancelTask = {
  reason?: string
}

export type SuspendTask = {
  reason?: string
}

export type EditTask = {
  /** Any JSON value */
  response: unknown
}

export type AuditTask = {
  verdict: AuditVerdict
  comments?: string
  /** Any JSON value */
  response?: unknown
}

export type RecallTask = {
  reason?: string
}

export type ListDeliveriesQuery = {
  task_id?: string
  state?: DeliveryState
  event?: EventType
  /** A destination_id, an origin (https://host), or an e-mail domain */
  destination?: string
  created_after?: string
  /** The most rows of a page; 20 by default */
  limit?: number
  /** next_cursor of the page before */
  cursor?: string
}

export type ReplayDeliveries = {
  /** Of the latest delivery of an event */
  state?: 'delivered' | 'failed' | 'canceled'
  /** A destination_id, an origin (https://host), or an e-mail domain */
  destination?: string
  from?: string
  to?: string
  /** Only count what matches */
  dry_run?: boolean
}

export type UpdateProject = {
  default_callback_url?: string | null
  retry?: {
    retries?: number
    window_s?: number
  }
  /** Until the status line */
  timeout_ms?: number
  expires_in_s?: number | null
  /** Whether the events of one task wait for each other */
  order?: 'task' | 'none'
  limits?: {
    /** Attempts at a time, at each destination */
    in_flight?: number
    /** Attempts begun in a second, at each destination; null for no limit */
    per_second?: number | null
  }
  retention_days?: number
}

export type RotateSecret = {
  which: 'signing' | 'callback_auth'
  /** Seconds for which the old one holds on; 0 ends it, and every older one, at once */
  grace_s?: number
}

export type CreateToken = {
  name: string
  /** The whole value of a header, such as `Bearer …`; never shown again */
  value: string
}

export type CreateProject = {
  name: string
  dialect?: string
  default_callback_url?: string
  /** A host name at whose root the dialect is served, in lower case and without port */
  host?: string
}

export type CreateKey = {
  mode?: 'live' | 'test'
  role?: 'customer' | 'operator'
  /** What it is for */
  name?: string
  /**
   * What it may do; all that its role may unless given
   *
   * @maxItems 5
   */
  scopes?:
    | []
    | [KeyScope]
    | [KeyScope, KeyScope]
    | [KeyScope, KeyScope, KeyScope]
    | [KeyScope, KeyScope, KeyScope, KeyScope]
    | [KeyScope, KeyScope, KeyScope, KeyScope, KeyScope]
  expires_at?: string
  /** The same, in seconds from now */
  expires_in_s?: number
}

export type ListAuditsQuery = {
  /** Only acts on this project */
  project?: string
  act?: Act
  since?: string
  until?: string
  /** The most rows of a page; 20 by default */
  limit?: number
  /** next_cursor of the page before */
  cursor?: string
}
