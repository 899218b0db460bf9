-- Partitions tasks by their user, for very large tables: docs/scaling.md says when that pays. An example: copy it, and
-- give it the next version.
--
-- Every statement of the API has the user in its WHERE, so it reads one partition. The primary key has to have the user in
-- it; that an id exists once is what the sequence makes sure of.
--
-- Not beside a running API: `tasks` is locked while its rows are copied, some 3 minutes for 10 million. Run `migrator grant`
-- afterwards: privileges belong to the table that is dropped here.

-- Nobody writes to what is being copied.
lock table tasks in access exclusive mode;

create table tasks_next (like tasks including defaults including constraints including comments) partition by hash (user_id);
create table tasks_00 partition of tasks_next for values with (modulus 16, remainder 0);
create table tasks_01 partition of tasks_next for values with (modulus 16, remainder 1);
create table tasks_02 partition of tasks_next for values with (modulus 16, remainder 2);
create table tasks_03 partition of tasks_next for values with (modulus 16, remainder 3);
create table tasks_04 partition of tasks_next for values with (modulus 16, remainder 4);
create table tasks_05 partition of tasks_next for values with (modulus 16, remainder 5);
create table tasks_06 partition of tasks_next for values with (modulus 16, remainder 6);
create table tasks_07 partition of tasks_next for values with (modulus 16, remainder 7);
create table tasks_08 partition of tasks_next for values with (modulus 16, remainder 8);
create table tasks_09 partition of tasks_next for values with (modulus 16, remainder 9);
create table tasks_10 partition of tasks_next for values with (modulus 16, remainder 10);
create table tasks_11 partition of tasks_next for values with (modulus 16, remainder 11);
create table tasks_12 partition of tasks_next for values with (modulus 16, remainder 12);
create table tasks_13 partition of tasks_next for values with (modulus 16, remainder 13);
create table tasks_14 partition of tasks_next for values with (modulus 16, remainder 14);
create table tasks_15 partition of tasks_next for values with (modulus 16, remainder 15);

-- The same numbers go on.
alter sequence tasks_id_seq owned by none;
insert into tasks_next select * from tasks;
drop table tasks;
alter table tasks_next rename to tasks;
alter sequence tasks_id_seq owned by tasks.id;

alter table tasks
  add constraint tasks_pkey primary key (user_id, id),
  add constraint tasks_user_id_fkey foreign key (user_id) references users (id) on delete cascade;

comment on table tasks is 'What people have to do. Every row belongs to one user and goes when the user goes.';
comment on constraint tasks_pkey on tasks is 'One row for each task.';
comment on index tasks_pkey is 'Finds a task of a user by id.';
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
