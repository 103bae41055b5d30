-- One text for SQLite and PostgreSQL: times are integer milliseconds, booleans 0 or 1, JSON is text. Rows that grow by
-- the million have a time-ordered text key; no foreign key points at destinations, since the lock it takes would make
-- claims wait for inserts.

create table projects (
  id text primary key,
  name text not null,
  dialect text not null,
  settings text not null,
  created_at bigint not null,
  updated_at bigint not null
);

create table keys (
  id text primary key,
  project_id text not null,
  mode text not null,
  role text not null,
  hash text not null unique,
  hint text not null,
  created_at bigint not null
);
create index keys_project on keys (project_id);

-- value is sealed (AES-256-GCM); expires_at is the end of its grace after a rotation.
create table secrets (
  id text primary key,
  project_id text not null,
  kind text not null,
  mode text,
  value text not null,
  created_at bigint not null,
  expires_at bigint
);
create index secrets_project on secrets (project_id);

create table tasks (
  id text primary key,
  project_id text not null,
  mode text not null,
  external_id text,
  type text not null,
  status text not null,
  resume_status text,
  audit_status text,
  unique_id text,
  callback_url text,
  destination_id text,
  callback_succeeded bigint,
  callback_succeeded_at bigint,
  callback_hash text,
  callback_used bigint not null,
  event_count bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  completed_at bigint,
  expires_at bigint,
  version bigint not null,
  params text not null,
  response text,
  error text,
  metadata text not null,
  ext text
);
create index tasks_page on tasks (project_id, mode, id);
create unique index tasks_unique_id on tasks (project_id, mode, unique_id) where unique_id is not null;
create unique index tasks_external_id on tasks (project_id, mode, external_id) where external_id is not null;
create index tasks_expiry on tasks (expires_at)
  where expires_at is not null and status in ('pending', 'processing', 'waiting', 'polling', 'suspended');

-- Every callback id that was ever given out; which one is live stands in tasks.callback_hash.
create table callback_ids (
  hash text primary key,
  task_id text not null
);
create index callback_ids_task on callback_ids (task_id);

-- Written once, with the bytes of the callback; settling a delivery never touches them.
create table events (
  id text not null,
  task_id text not null,
  sequence bigint not null,
  type text not null,
  detail text,
  created_at bigint not null,
  body text,
  primary key (task_id, sequence)
);

create table deliveries (
  id text primary key,
  project_id text not null,
  mode text not null,
  task_id text not null,
  seq bigint not null,
  event_id text not null,
  event_type text not null,
  sequence bigint not null,
  destination_id text not null,
  url text not null,
  resend bigint not null,
  state text not null,
  reason text,
  due_at bigint,
  attempt_count bigint not null,
  unknown_count bigint not null,
  unknown_streak bigint not null,
  first_attempt_at bigint,
  give_up_at bigint,
  cancel_requested bigint not null,
  lease_owner text,
  lease_until bigint,
  fence bigint not null,
  created_at bigint not null,
  settled_at bigint
);
create unique index deliveries_task on deliveries (task_id, seq);
create index deliveries_page on deliveries (project_id, mode, id);
create index deliveries_due on deliveries (destination_id, due_at) where state = 'pending';
create index deliveries_lease on deliveries (lease_until) where state = 'sending';
create index deliveries_held on deliveries (task_id) where state = 'held';

create table attempts (
  delivery_id text not null,
  number bigint not null,
  started_at bigint not null,
  duration_ms bigint not null,
  outcome text not null,
  status bigint,
  response_headers text,
  response_body text,
  truncated bigint not null,
  remote_address text,
  error text,
  primary key (delivery_id, number)
);

create table arrivals (
  id text primary key,
  task_id text not null,
  received_at bigint not null,
  remote_address text,
  headers text not null,
  body text,
  verdict text not null
);
create index arrivals_task on arrivals (task_id, id);

-- due_at: when it next has something due. not_before: no claim earlier, whatever wakes it (pause, limits, breaker).
create table destinations (
  id text primary key,
  project_id text not null,
  mode text not null,
  key text not null,
  due_at bigint,
  not_before bigint not null,
  created_at bigint not null
);
create index destinations_due on destinations (due_at) where due_at is not null;

create table idempotency_keys (
  project_id text not null,
  mode text not null,
  key text not null,
  request_hash text not null,
  status bigint not null,
  answer text not null,
  created_at bigint not null,
  primary key (project_id, mode, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
