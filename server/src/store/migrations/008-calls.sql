-- call_plan: what is to be called for a task; it is written once. call_report: what came of it.
alter table tasks add column call_plan text;
alter table tasks add column call_report text;

-- The next call of a task that has any; one row, since only one is ever due. callback_id is sealed, and there only while the
-- request may still have to tell it.
create table calls (
  task_id text primary key,
  project_id text not null,
  mode text not null,
  destination_id text not null,
  step text not null,
  state text not null,
  url text not null,
  result_url text,
  callback_id text,
  priority bigint not null,
  timeout_ms bigint not null,
  due_at bigint,
  attempt_count bigint not null,
  failure_count bigint not null,
  unknown_streak bigint not null,
  lease_owner text,
  lease_until bigint,
  fence bigint not null,
  created_at bigint not null
);
create index calls_due on calls (destination_id, priority, due_at) where state = 'pending';
create index calls_next on calls (destination_id, due_at) where state = 'pending';
create index calls_lease on calls (lease_until) where state = 'sending';
create index calls_sealing on calls (substr(callback_id, 1, 20));

-- Calls and callbacks to one origin are two destinations: neither waits for the other.
alter table destinations add column kind text not null default 'callback';
drop index destinations_due;
create index destinations_due on destinations (kind, due_at) where due_at is not null;

-- The vault: values are sealed, and gone once revoked.
create table tokens (
  id text primary key,
  project_id text not null,
  mode text not null,
  name text not null,
  value text,
  created_at bigint not null,
  revoked_at bigint
);
create index tokens_page on tokens (project_id, mode, id);
create index tokens_sealing on tokens (substr(value, 1, 20));
