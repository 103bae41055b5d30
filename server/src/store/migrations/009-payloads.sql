-- What stands in a body more than once, where there is a mark in it (sql/event-body.ts).
alter table events add column payload text;
