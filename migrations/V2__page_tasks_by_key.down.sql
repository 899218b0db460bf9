-- Undoes the indexes for pages. Nothing is lost; pages far down the list are slower without them.
-- Locks `tasks` for a moment.

drop index idx_tasks_user_status_created_id;
drop index idx_tasks_user_created_id;

comment on index idx_tasks_user_created is 'Lists the tasks of a user, newest first, page by page.';
comment on index idx_tasks_user_status is
  'Lists the tasks of a user that have one status; finds the tasks of a deleted user.';
