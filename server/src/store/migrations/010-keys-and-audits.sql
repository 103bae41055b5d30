-- scopes: a JSON array; null is what keys of the role may do. last_used_at is written now and then, from memory.
alter table keys add column name text;
alter table keys add column scopes text;
alter table keys add column expires_at bigint;
alter table keys add column last_used_at bigint;

-- Who changed what: a row in the transaction of each act. detail is JSON and never holds a secret; the time is also in the id.
create table audits (
  id text primary key,
  created_at bigint not null,
  act text not null,
  actor text not null,
  key_id text,
  address text,
  project_id text,
  mode text,
  object text,
  detail text not null
);
create index audits_project on audits (project_id, id);
create index audits_act on audits (act, id);
