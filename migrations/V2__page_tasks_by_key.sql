-- Pages of tasks begin after the last task of the page before, by (created_at, id): the creation time alone is no key,
-- because tasks may share it. With the id in the index, a page reads its own rows and no others, however far down it is,
-- and however many tasks were made at one moment.
--
-- The two older indexes stay: their names and columns are promised to other readers of this schema.
--
-- Safe beside a running API, which needs neither index to be there. Builds lock `tasks` against writes while they read
-- it: some 0.2 s for 200,000 tasks.

create index idx_tasks_user_created_id on tasks (user_id, created_at desc, id desc);
create index idx_tasks_user_status_created_id on tasks (user_id, status, created_at desc, id desc);

comment on index idx_tasks_user_created_id is 'Lists the tasks of a user, newest first, page by page.';
comment on index idx_tasks_user_status_created_id is
  'Lists the tasks of a user that have one status, newest first, page by page.';
comment on index idx_tasks_user_created is 'Finds the tasks of a user by the time when they were made.';
comment on index idx_tasks_user_status is 'Finds the tasks of a user that have one status, and those of a deleted user.';
