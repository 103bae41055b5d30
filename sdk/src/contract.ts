// The API's objects and request bodies as native contract §§1–5 has them, times as ISO 8601 UTC. Written by hand until it
// is generated from the OpenAPI document, with these same names.

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

export type Task = {
  id: string
  external_id: string | null
  type: string
  status: TaskStatus
  audit_status: 'approved' | 'rejected' | 'fixed' | null
  mode: 'live' | 'test'
  params: unknown
  response: unknown
  error: { message: string; code?: string; details?: unknown } | null
  metadata: { [name: string]: unknown }
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

export type TaskCreated = Task & { callback_id: string; resolve_url: string }

export type Event = {
  id: string
  type: string
  task_id: string
  sequence: number
  status: TaskStatus
  created_at: string
}

export type Delivery = {
  id: string
  task_id: string
  event_id: string
  event_type: string
  sequence: number
  url: string
  resend: boolean
  state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'canceled'
  reason: string | null
  attempt_count: number
  next_attempt_at: string | null
  give_up_at: string | null
  created_at: string
  settled_at: string | null
}

export type Attempt = {
  number: number
  started_at: string
  duration_ms: number
  outcome: string
  status: number | null
  response_headers: { [name: string]: string } | null
  response_body: string | null
  truncated: boolean
  remote_address: string | null
  error: string | null
}

export type DeliveryDetail = Delivery & { attempts: Attempt[]; plan: string[] }

export type Arrival = {
  id: string
  task_id: string
  received_at: string
  remote_address: string
  headers: { [name: string]: string }
  body: string | null
  verdict: 'resolved' | 'repeated' | 'conflicting' | 'early' | 'late' | 'invalid'
}

export type Project = {
  id: string
  name: string
  dialect: string
  default_callback_url: string | null
  retry: { retries: number; window_s: number }
  timeout_ms: number
  expires_in_s: number | null
  order: 'task' | 'none'
  limits: { in_flight: number; per_second?: number | null }
  retention_days: number
  created_at: string
  updated_at: string
}

export type ProjectCreated = { project: Project; credentials: { [name: string]: string } }

export type Key = {
  id: string
  mode: 'live' | 'test'
  role: 'customer' | 'operator'
  hint: string
  created_at: string
}

export type KeyCreated = Key & { key: string }

export type Problem = {
  type: string
  title: string
  status: number
  detail?: string
  code: string
  [name: string]: unknown
}

export type CreateTask = {
  type?: string
  params?: unknown
  metadata?: { [name: string]: unknown }
  unique_id?: string
  callback_url?: string
  expires_in_s?: number
}

export type AwaitTask = { expires_in_s?: number }
export type CompleteTask = { response: unknown }
export type FailTask = { error: { message: string; code?: string; details?: unknown }; during?: 'setup' }
export type CancelTask = { reason?: string }
export type SuspendTask = { reason?: string }
export type EditTask = { response: unknown }
export type AuditTask = { verdict: 'approved' | 'rejected' | 'fixed'; comments?: string; response?: unknown }
export type RecallTask = { reason?: string }

export type UpdateProject = {
  default_callback_url?: string | null
  retry?: { retries?: number; window_s?: number }
  timeout_ms?: number
  expires_in_s?: number | null
  order?: 'task' | 'none'
  limits?: { in_flight?: number; per_second?: number | null }
  retention_days?: number
}

export type CreateProject = { name: string; dialect?: string; default_callback_url?: string; host?: string }
export type CreateKey = { mode?: 'live' | 'test'; role?: 'customer' | 'operator' }
