-- paused_at: nothing is claimed until somebody resumes it. opened_at: since when its breaker is open; claims then take one
-- delivery at a time. failing_since: since when nothing but failures. reported_at: when the operator was told of the pause.
alter table destinations add column paused_at bigint;
alter table destinations add column pause_reason text;
alter table destinations add column reported_at bigint;
alter table destinations add column opened_at bigint;
alter table destinations add column failing_since bigint;
create index destinations_page on destinations (project_id, mode, id);
create index destinations_unreported on destinations (paused_at) where paused_at is not null and reported_at is null;

-- Counts of attempts by destination and five minutes, each process its own rows; durations are the counts of a histogram.
create table destination_rates (
  destination_id text not null,
  slot_at bigint not null,
  owner text not null,
  delivered bigint not null,
  failed bigint not null,
  durations text not null,
  primary key (destination_id, slot_at, owner)
);
create index destination_rates_age on destination_rates (slot_at);
