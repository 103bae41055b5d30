-- ordered: waits for its turn within its task, and the next one waits for it. A re-send by hand does neither.
alter table deliveries add column ordered bigint not null default 1;
update deliveries set ordered = 0 where resend = 1;

-- cursor: the first delivery not looked at yet. What matches was settled and created before the job was.
create table replays (
  id text primary key,
  project_id text not null,
  mode text not null,
  state text not null,
  delivery_state text not null,
  destination_id text,
  from_at bigint,
  to_at bigint not null,
  cursor text not null,
  count bigint not null,
  replayed bigint not null,
  skipped bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  finished_at bigint
);
create index replays_running on replays (updated_at) where state = 'running';
