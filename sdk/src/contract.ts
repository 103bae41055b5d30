// Generated from the OpenAPI document by `npm run contract`: do not edit. Times are ISO 8601 UTC.

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

export type DeliveryDetail = Delivery & {
  attempts: Attempt[]
  /** When the attempts to come will be made */
  plan: string[]
}

export type KeyCreated = Key & {
  /** Shown once */
  key: string
}

export type TaskCreated = Task & {
  /** 64 hex characters, shown once */
  callback_id: string
  resolve_url: string
}

export type Arrival = {
  id: string
  task_id: string
  received_at: string
  remote_address: string | null
  headers: {
    [k: string]: string
  }
  body: string | null
  verdict: 'resolved' | 'repeated' | 'conflicting' | 'early' | 'late' | 'invalid'
}

export type ArrivalPage = {
  data: Arrival[]
  next_cursor: string | null
}

export type Attempt = {
  number: number
  started_at: string
  duration_ms: number
  outcome:
    | 'delivered'
    | 'status'
    | 'timeout'
    | 'protocol'
    | 'tls'
    | 'connection'
    | 'dns'
    | 'forbidden'
    | 'unknown'
  status: number | null
  response_headers: {
    [k: string]: string
  } | null
  response_body: string | null
  truncated: boolean
  remote_address: string | null
  error: string | null
}

export type AuditTask = {
  verdict: 'approved' | 'rejected' | 'fixed'
  comments?: string
  /** Any JSON value */
  response?: unknown
}

export type AwaitTask = {
  /** Seconds */
  expires_in_s?: number
}

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
  detail: {
    [k: string]: unknown
  } | null
  task: Task
}

export type Task = {
  id: string
  external_id: string | null
  type: string
  status: TaskStatus
  audit_status: ('approved' | 'rejected' | 'fixed') | null
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
  metadata: {
    [k: string]: unknown
  }
  unique_id: string | null
  callback_url: string | null
  callback_succeeded: boolean | null
  callback_succeeded_at: string | null
  created_at: string
  updated_at: string
  completed_at: string | null
  expires_at: string | null
  version: number
}

export type CancelTask = {
  reason?: string
}

export type CompleteTask = {
  /** Any JSON value */
  response: unknown
}

export type CreateKey = {
  mode?: 'live' | 'test'
  role?: 'customer' | 'operator'
}

export type CreateProject = {
  name: string
  dialect?: string
  default_callback_url?: string
}

export type CreateTask = {
  type?: string
  /** Any JSON value */
  params?: unknown
  metadata?: {
    [k: string]: unknown
  }
  unique_id?: string
  /** http(s) URL or e-mail address; the default is the project’s */
  callback_url?: string
  /** Seconds */
  expires_in_s?: number
}

export type Credentials = {
  live_key: string
  test_key: string
  operator_key: string
  test_operator_key: string
  callback_auth_key: string
  test_callback_auth_key: string
  signing_secret: string
}

export type Delivery = {
  id: string
  task_id: string
  event_id: string
  event: EventType
  sequence: number
  destination_id: string
  url: string
  state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'canceled'
  reason: string | null
  resend: boolean
  attempt_count: number
  created_at: string
  settled_at: string | null
  next_attempt_at: string | null
  give_up_at: string | null
}

export type DeliveryPage = {
  data: Delivery[]
  next_cursor: string | null
}

export type EditTask = {
  /** Any JSON value */
  response: unknown
}

export type Event = {
  id: string
  task_id: string
  type: EventType
  sequence: number
  detail: {
    [k: string]: unknown
  } | null
  created_at: string
}

export type EventPage = {
  data: Event[]
  next_cursor: string | null
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

export type GetTaskQuery = {
  wait?: number
}

export type Key = {
  id: string
  mode: 'live' | 'test'
  role: 'customer' | 'operator'
  hint: string
  created_at: string
}

export type KeyPage = {
  data: Key[]
  next_cursor: string | null
}

export type ListDeliveriesQuery = {
  task_id?: string
  state?: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'canceled'
  event?:
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
  destination?: string
  created_after?: string
  limit?: number
  cursor?: string
}

export type ListTasksQuery = {
  status?:
    | 'pending'
    | 'processing'
    | 'waiting'
    | 'polling'
    | 'suspended'
    | 'completed'
    | 'failed'
    | 'canceled'
    | 'expired'
  type?: string
  audit_status?: 'approved' | 'rejected' | 'fixed'
  callback_succeeded?: boolean
  unique_id?: string
  created_after?: string
  created_before?: string
  limit?: number
  cursor?: string
}

export type PageQuery = {
  limit?: number
  cursor?: string
}

export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  /** Stable */
  code: string
  [k: string]: unknown
}

export type Project = {
  id: string
  name: string
  dialect: string
  default_callback_url: string | null
  timeout_ms: number
  expires_in_s: number | null
  order: 'task' | 'none'
  retention_days: number
  retry: {
    retries: number
    window_s: number
  }
  limits: {
    in_flight: number
  }
  created_at: string
  updated_at: string
}

export type ProjectCreated = {
  project: Project
  credentials: Credentials
}

export type ProjectPage = {
  data: Project[]
  next_cursor: string | null
}

export type RecallTask = {
  reason?: string
}

export type ResolvedTask = {
  task: {
    id: string
    status: string
    result: {
      statusCode: number
      headers: {}
      body: string
      duration: number
    }
    createdAt: string
    completedAt: string | null
  }
}

export type SuspendTask = {
  reason?: string
}

export type TaskPage = {
  data: Task[]
  next_cursor: string | null
}

export type UpdateProject = {
  default_callback_url?: string | null
  retry?: {
    retries?: number
    window_s?: number
  }
  timeout_ms?: number
  expires_in_s?: number | null
  order?: 'task' | 'none'
  limits?: {
    in_flight?: number
  }
  retention_days?: number
}
