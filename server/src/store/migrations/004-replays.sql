-- ordered: waits for its turn within its task, and the next one waits for it. A re-send by hand does neither.
alter table deliveries add column ordered bigint not null default 1;
update deliveries set ordered = 0 where resend = 1;
