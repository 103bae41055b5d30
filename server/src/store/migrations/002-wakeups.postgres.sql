-- Inserts append here and claimers drain it: with many writers every statement that updates the destination row directly
-- either loses wake-ups or starves the claims. SQLite has one writer and needs no such table.
create table wakeups (
  id bigint generated always as identity primary key,
  destination_id text not null,
  due_at bigint not null
);
