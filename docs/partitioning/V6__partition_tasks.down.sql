-- One table again, with all rows. Locks it while they are copied, as the other way; run `migrator grant` afterwards.
lock table tasks in access exclusive mode;

create table tasks_next (like tasks including defaults including constraints including comments);

-- The same numbers go on.
alter sequence tasks_id_seq owned by none;
insert into tasks_next select * from tasks;
drop table tasks;
alter table tasks_next rename to tasks;
alter sequence tasks_id_seq owned by tasks.id;

alter table tasks
  add constraint tasks_pkey primary key (id),
  add constraint tasks_user_id_fkey foreign key (user_id) references users (id) on delete cascade;

comment on table tasks is 'What people have to do. Every row belongs to one user and goes when the user goes.';
comment on constraint tasks_pkey on tasks is 'One row for each task.';
comment on index tasks_pkey is 'Finds a task by id; whose it is, is checked on the row.';
comment on constraint tasks_user_id_fkey on tasks is 'A task belongs to a user, and is deleted with the user.';

-- Indexes and the trigger, as they were.
create index idx_tasks_user_created on tasks (user_id, created_at desc);
comment on index idx_tasks_user_created is 'Finds the tasks of a user by the time when they were made.';

create index idx_tasks_user_created_id on tasks (user_id, created_at desc, id desc);
comment on index idx_tasks_user_created_id is 'Lists the tasks of a user, newest first, page by page.';

create index idx_tasks_user_status on tasks (user_id, status);
comment on index idx_tasks_user_status is 'Finds the tasks of a user that have one status, and those of a deleted user.';

create index idx_tasks_user_status_created_id on tasks (user_id, status, created_at desc, id desc);
comment on index idx_tasks_user_status_created_id is 'Lists the tasks of a user that have one status, newest first, page by page.';

create index idx_tasks_user_status_priority on tasks (user_id, status, (
case priority
    when 'high'::text then 3
    when 'low'::text then 1
    else 2
end) desc, created_at desc, id desc);
comment on index idx_tasks_user_status_priority is 'Lists the tasks of a user by priority, page by page, also those of one status.';

create trigger trigger_tasks_updated_at before update on tasks for each row execute function update_tasks_updated_at();
comment on trigger trigger_tasks_updated_at on tasks is 'Owns both timestamps: see update_tasks_updated_at().';
