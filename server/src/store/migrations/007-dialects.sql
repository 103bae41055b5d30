-- host: the name by which requests for this project are known where neither key nor path tells it.
alter table projects add column host text;
create unique index projects_host on projects (host) where host is not null;

-- last_told: the sequence of the last event that became a callback, 0 when none did; null where that is the last event.
alter table tasks add column last_told bigint;

-- Texts by which a dialect finds its tasks again.
create table labels (
  project_id text not null,
  mode text not null,
  label text not null,
  task_id text not null,
  primary key (project_id, mode, label, task_id)
);
create index labels_task on labels (task_id);

-- What only one dialect has. due_at: when somebody has to look at it again. expires_at: when it may be deleted.
create table records (
  project_id text not null,
  mode text not null,
  kind text not null,
  key text not null,
  body text not null,
  created_at bigint not null,
  updated_at bigint not null,
  due_at bigint,
  expires_at bigint,
  version bigint not null,
  primary key (project_id, mode, kind, key)
);
create index records_page on records (project_id, mode, kind, created_at, key);
create index records_due on records (due_at) where due_at is not null;
create index records_expiry on records (expires_at) where expires_at is not null;
