-- What operators look for first and there is little of: a page costs what it shows, however much went well.
create index deliveries_failed on deliveries (project_id, mode, id) where state = 'failed';
create index tasks_failed on tasks (project_id, mode, id) where status = 'failed';
