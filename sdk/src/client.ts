// The native API as functions, one per route (native contract §§2–5); the types of what goes in and out are generated.
// Answers are parsed with JSON.parse, so a number beyond 2^53 in somebody's `response` loses digits here, not on the wire.
import type {
  ArrivalPage,
  AuditPage,
  AuditTask,
  AwaitTask,
  CallAttemptPage,
  CancelTask,
  CompleteTask,
  CreateKey,
  CreateProject,
  CreateTask,
  CreateToken,
  Delivery,
  DeliveryDetail,
  DeliveryPage,
  Destination,
  DestinationPage,
  EditTask,
  EventPage,
  FailTask,
  GetTaskQuery,
  KeyCreated,
  KeyPage,
  ListAuditsQuery,
  ListDeliveriesQuery,
  ListTasksQuery,
  PageQuery,
  Project,
  ProjectCreated,
  ProjectPage,
  RecallTask,
  Replay,
  ReplayDeliveries,
  ReplayStarted,
  Resealed,
  ResolvedTask,
  RotateSecret,
  SecretPage,
  SecretRotated,
  SuspendTask,
  Task,
  TaskCreated,
  TaskPage,
  Token,
  TokenPage,
  TokenRevoked,
  UpdateProject,
} from './contract.ts'
import { callJson, createTransport, path } from './transport.ts'
import type { CallOptions, ClientOptions, Transport } from './transport.ts'

/** One page of a list, newest first; `next_cursor` is null on the last one. */
type Page<T> = { data: T[]; next_cursor: string | null }

/** Options of a call that creates something: with the same `idempotencyKey` (kept 24 h) and body a repeated one gives the first answer again. */
type CreateOptions = CallOptions & { idempotencyKey?: string }

/** The client of one server and one key. */
export type Client = ReturnType<typeof createClient>

/** Makes a client. Every call takes a `signal`, throws RingbackError for an answer that is not a 2xx, and is made once. */
export function createClient(options: ClientOptions) {
  const call = createTransport(options)
  return {
    tasks: taskRoutes(call),
    deliveries: deliveryRoutes(call),
    destinations: destinationRoutes(call),
    replays: {
      /** Gets a replay with its progress. */
      get: (id: string, options?: CallOptions) => call<Replay>('GET', path`/v1/replays/${id}`, options),
    },
    arrivals: {
      /** Resolves the task with a kept arrival. */
      apply: (id: string, options?: CallOptions) =>
        call<Task>('POST', path`/v1/arrivals/${id}/apply`, options),
    },
    project: {
      get: (options?: CallOptions) => call<Project>('GET', '/v1/project', options),
      update: (body: UpdateProject, options?: CallOptions) =>
        call<Project>('PATCH', '/v1/project', { body, ...options }),
      /** Reads the secrets that callbacks of the key's mode carry; takes an operator key. */
      secrets: (options?: CallOptions) => call<SecretPage>('GET', '/v1/project/secrets', options),
      /** Makes a new secret, beside which the old one holds on for its grace; takes an operator key. */
      rotateSecret: (body: RotateSecret, options?: CreateOptions) =>
        call<SecretRotated>('POST', '/v1/project/secrets/rotate', { body, ...options }),
    },
    tokens: {
      /** Puts the whole value of a header into the vault; requests name it by its id. */
      create: (body: CreateToken, options?: CreateOptions) =>
        call<Token>('POST', '/v1/tokens', { body, ...options }),
      list: (query?: PageQuery, options?: CallOptions) =>
        call<TokenPage>('GET', '/v1/tokens', { query, ...options }),
      /** Forgets a token's value; requests that would still use it fail. */
      revoke: (id: string, options?: CallOptions) =>
        call<TokenRevoked>('DELETE', path`/v1/tokens/${id}`, options),
    },
    admin: adminRoutes(call),
    inbound: inboundRoutes(options),
  }
}

/** Walks a list through all its pages: `` for await (const task of everyItem((page) => client.tasks.list(page))) ``. */
export async function* everyItem<T>(list: (page: PageQuery) => Promise<Page<T>>): AsyncGenerator<T, void> {
  let cursor: string | undefined
  do {
    const page = await list({ cursor })
    yield* page.data
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
}

function taskRoutes(call: Transport) {
  const verb = (name: string, id: string, body: unknown, options?: CallOptions) =>
    call<Task>('POST', `${path`/v1/tasks/${id}`}/${name}`, { body, ...options })
  return {
    create: (body: CreateTask = {}, options?: CreateOptions) =>
      call<TaskCreated>('POST', '/v1/tasks', { body, ...options }),
    /** Gets a task, after up to `wait` seconds (0–60) if it is not settled yet. */
    get: (id: string, { signal, ...query }: CallOptions & GetTaskQuery = {}) =>
      call<Task>('GET', path`/v1/tasks/${id}`, { query, signal }),
    list: (query?: ListTasksQuery, options?: CallOptions) =>
      call<TaskPage>('GET', '/v1/tasks', { query, ...options }),
    start: (id: string, options?: CallOptions) => verb('start', id, undefined, options),
    /** Puts a task into `waiting` with a new inbound URL; the old one dies. */
    await: (id: string, body?: AwaitTask, options?: CallOptions) =>
      call<TaskCreated>('POST', path`/v1/tasks/${id}/await`, { body, ...options }),
    complete: (id: string, body: CompleteTask, options?: CallOptions) => verb('complete', id, body, options),
    fail: (id: string, body: FailTask, options?: CallOptions) => verb('fail', id, body, options),
    cancel: (id: string, body?: CancelTask, options?: CallOptions) => verb('cancel', id, body, options),
    expire: (id: string, options?: CallOptions) => verb('expire', id, undefined, options),
    suspend: (id: string, body?: SuspendTask, options?: CallOptions) => verb('suspend', id, body, options),
    resume: (id: string, options?: CallOptions) => verb('resume', id, undefined, options),
    edit: (id: string, body: EditTask, options?: CallOptions) => verb('edit', id, body, options),
    audit: (id: string, body: AuditTask, options?: CallOptions) => verb('audit', id, body, options),
    recall: (id: string, body?: RecallTask, options?: CallOptions) => verb('recall', id, body, options),
    restart: (id: string, options?: CallOptions) => verb('restart', id, undefined, options),
    /** Sends the task's last event again, at once. */
    resend: (id: string, options?: CreateOptions) =>
      call<Delivery>('POST', path`/v1/tasks/${id}/resend`, options),
    events: (id: string, query?: PageQuery, options?: CallOptions) =>
      call<EventPage>('GET', path`/v1/tasks/${id}/events`, { query, ...options }),
    deliveries: (id: string, query?: PageQuery, options?: CallOptions) =>
      call<DeliveryPage>('GET', path`/v1/tasks/${id}/deliveries`, { query, ...options }),
    arrivals: (id: string, query?: PageQuery, options?: CallOptions) =>
      call<ArrivalPage>('GET', path`/v1/tasks/${id}/arrivals`, { query, ...options }),
    /** Lists the requests that were made for a task, in order. */
    attempts: (id: string, query?: PageQuery, options?: CallOptions) =>
      call<CallAttemptPage>('GET', path`/v1/tasks/${id}/attempts`, { query, ...options }),
  }
}

function deliveryRoutes(call: Transport) {
  return {
    list: (query?: ListDeliveriesQuery, options?: CallOptions) =>
      call<DeliveryPage>('GET', '/v1/deliveries', { query, ...options }),
    /** Gets a delivery with its attempts and the plan of those to come. */
    get: (id: string, options?: CallOptions) =>
      call<DeliveryDetail>('GET', path`/v1/deliveries/${id}`, options),
    resend: (id: string, options?: CreateOptions) =>
      call<Delivery>('POST', path`/v1/deliveries/${id}/resend`, options),
    /** Cancels a delivery; while it is being sent this takes effect when that attempt ends. */
    cancel: (id: string, options?: CallOptions) =>
      call<Delivery>('POST', path`/v1/deliveries/${id}/cancel`, options),
    /** Starts a job that sends again every event whose latest delivery matches; a dry run only counts them. */
    replay: (body: ReplayDeliveries = {}, options?: CreateOptions) =>
      call<ReplayStarted>('POST', '/v1/deliveries/replay', { body, ...options }),
  }
}

function destinationRoutes(call: Transport) {
  return {
    /** Lists destinations with how they fare, by id. */
    list: (query?: PageQuery, options?: CallOptions) =>
      call<DestinationPage>('GET', '/v1/destinations', { query, ...options }),
    /** Sends nothing there until it is resumed; attempts under way end. */
    pause: (id: string, options?: CallOptions) =>
      call<Destination>('POST', path`/v1/destinations/${id}/pause`, options),
    resume: (id: string, options?: CallOptions) =>
      call<Destination>('POST', path`/v1/destinations/${id}/resume`, options),
  }
}

function adminRoutes(call: Transport) {
  return {
    /** Creates a project; the answer is the only one that shows its credentials. */
    createProject: (body: CreateProject, options?: CreateOptions) =>
      call<ProjectCreated>('POST', '/v1/admin/projects', { body, ...options }),
    listProjects: (query?: PageQuery, options?: CallOptions) =>
      call<ProjectPage>('GET', '/v1/admin/projects', { query, ...options }),
    createKey: (projectId: string, body: CreateKey, options?: CreateOptions) =>
      call<KeyCreated>('POST', path`/v1/admin/projects/${projectId}/keys`, { body, ...options }),
    listKeys: (projectId: string, query?: PageQuery, options?: CallOptions) =>
      call<KeyPage>('GET', path`/v1/admin/projects/${projectId}/keys`, { query, ...options }),
    revokeKey: (projectId: string, keyId: string, options?: CallOptions) =>
      call<void>('DELETE', path`/v1/admin/projects/${projectId}/keys/${keyId}`, options),
    /** Lists who changed what, newest first. */
    listAudits: (query?: ListAuditsQuery, options?: CallOptions) =>
      call<AuditPage>('GET', '/v1/admin/audits', { query, ...options }),
    /** Seals a few stored secrets anew with the server's new key; call it until none remain. */
    resealSecrets: (options?: CallOptions) => call<Resealed>('POST', '/v1/admin/secrets/reseal', options),
  }
}

function inboundRoutes({ baseUrl, fetch = globalThis.fetch }: ClientOptions) {
  // No key goes along: the resolve URL is a secret of its own and may point to another host.
  const call = createTransport({ baseUrl, fetch })
  return {
    /** Resolves a task through its one-time `resolve_url` (or bare `callback_id`) with any JSON value as its response. */
    resolve: (urlOrCallbackId: string, body: unknown, options?: CallOptions) =>
      /^https?:\/\//i.test(urlOrCallbackId)
        ? callJson<ResolvedTask>(fetch, urlOrCallbackId, { method: 'POST', body, ...options })
        : call<ResolvedTask>('POST', path`/v1/callbacks/${urlOrCallbackId}`, { body, ...options }),
  }
}
