-- The initial schema: tasks, and the users who own them.
--
-- Safe to run beside anything: it creates new objects only. Where an authentication provider made `users` already, the
-- foreign key waits for writes to that table to end and holds new ones back until this transaction is over, a moment.
--
-- Names are written without a schema: everything goes to the first schema of the search path, normally `public`.

-- Users. The ids come from an authentication provider and are opaque text.
--
-- A provider may have made this table itself, with more columns, another text type or rows in it. Then it stays exactly as
-- it is, comments included: all that is needed of it is an `id` that a foreign key can point to. The comment set on a table
-- made here is how the undo script knows later whose it is.
do $$
begin
  if to_regclass('users') is null then
    create table users (
      id varchar not null,
      email varchar not null,
      constraint users_pkey primary key (id),
      constraint users_email_key unique (email)
    );

    comment on table users is
      'Owned by Taskie''s migrations: the people whose tasks these are. Undoing the initial schema drops a table with this comment.';
    comment on column users.id is 'The id from the authentication provider (the token''s subject): opaque text.';
    comment on column users.email is 'The address to reach this person at; no two users share one.';
    comment on constraint users_pkey on users is 'One row for each id of the authentication provider.';
    comment on index users_pkey is 'Finds a user by id; tasks point to it.';
    comment on constraint users_email_key on users is 'One user for each address.';
    comment on index users_email_key is 'Finds a user by address.';
  end if;
end
$$;

create table tasks (
  id serial,
  user_id varchar not null,
  title varchar(255) not null,
  description varchar(5000),
  status varchar(20) not null default 'incomplete',
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp,
  constraint tasks_pkey primary key (id),
  -- length() counts characters, not bytes, as the API does.
  constraint tasks_title_length check (length(title) between 1 and 255),
  constraint tasks_description_length check (description is null or length(description) <= 5000),
  -- A check rather than an enum type: another status can be added in a transaction, and taken away again.
  constraint tasks_status_check check (status in ('incomplete', 'complete'))
);

-- The foreign key by itself, so that a `users` table which cannot be pointed to is reported as that.
do $$
declare
  id_type text;
begin
  alter table tasks
    add constraint tasks_user_id_fkey foreign key (user_id) references users (id) on delete cascade;
exception
  when undefined_column then
    raise exception using
      errcode = 'undefined_column',
      message = 'the existing table "users" has no column "id", so tasks cannot belong to its rows',
      hint = 'Rename that table, or give this application a schema of its own: create it and add options=-c%20search_path%3DNAME to the connection string.';
  when datatype_mismatch then
    select format_type(atttypid, atttypmod) into id_type
      from pg_catalog.pg_attribute
     where attrelid = 'users'::regclass and attname = 'id';
    raise exception using
      errcode = 'datatype_mismatch',
      message = format('the existing table "users" has ids of type %s, but user ids here are text', id_type),
      hint = 'Have the authentication provider use text ids, rename that table, or give this application a schema of its own: create it and add options=-c%20search_path%3DNAME to the connection string.';
  when invalid_foreign_key then
    raise exception using
      errcode = 'invalid_foreign_key',
      message = 'the existing table "users" may hold the same "id" twice, so tasks cannot belong to its rows',
      hint = 'Make the column its primary key, or add a unique constraint: alter table users add unique (id);';
  when wrong_object_type then
    raise exception using
      errcode = 'wrong_object_type',
      message = 'the existing "users" is not an ordinary table, so tasks cannot belong to its rows',
      hint = 'Rename it, or give this application a schema of its own: create it and add options=-c%20search_path%3DNAME to the connection string.';
  when insufficient_privilege then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('role "%s" may not point a foreign key at the existing table "users"', current_user),
      hint = format('As the owner of that table: grant references on users to %I;', current_user);
end
$$;

-- One index for each way in which tasks are listed: all of a user's, newest first, and those of one status.
create index idx_tasks_user_created on tasks (user_id, created_at desc);
create index idx_tasks_user_status on tasks (user_id, status);

-- The trigger owns both timestamps, whatever an UPDATE says about them. It depends on no search path.
create function update_tasks_updated_at() returns trigger
  language plpgsql
  set search_path = ''
as $$
begin
  new.created_at := old.created_at;
  new.updated_at := old.updated_at;
  -- An update that changes nothing is not a change.
  if new is distinct from old then
    -- Not the time of the transaction: two changes in one transaction differ. And at least a microsecond (the resolution
    -- of the type) later than the last change, also when the clock was set back: clients compare these to detect changes.
    new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  end if;
  return new;
end
$$;

create trigger trigger_tasks_updated_at
  before update on tasks
  for each row execute function update_tasks_updated_at();

comment on table tasks is 'What people have to do. Every row belongs to one user and goes when the user goes.';
comment on column tasks.id is 'Counts up; never used again.';
comment on column tasks.user_id is 'The owner. Every query of the API has it in its WHERE.';
comment on column tasks.title is 'What is to be done: 1 to 255 characters, as sent.';
comment on column tasks.description is 'More about it, up to 5000 characters, or null.';
comment on column tasks.status is 'incomplete or complete.';
comment on column tasks.created_at is 'When the task was made. The trigger keeps it: no UPDATE can change it.';
comment on column tasks.updated_at is
  'When the row last changed. The trigger sets it: strictly forward with every change of the row, and only then.';
comment on sequence tasks_id_seq is 'Gives out tasks.id.';
comment on constraint tasks_pkey on tasks is 'One row for each task.';
comment on index tasks_pkey is 'Finds a task by id; whose it is, is checked on the row.';
comment on constraint tasks_title_length on tasks is 'A title has 1 to 255 characters.';
comment on constraint tasks_description_length on tasks is 'A description has at most 5000 characters.';
comment on constraint tasks_status_check on tasks is 'A task is incomplete or complete.';
comment on constraint tasks_user_id_fkey on tasks is 'A task belongs to a user, and is deleted with the user.';
comment on index idx_tasks_user_created is 'Lists the tasks of a user, newest first, page by page.';
comment on index idx_tasks_user_status is 'Lists the tasks of a user that have one status; finds the tasks of a deleted user.';
comment on function update_tasks_updated_at() is
  'Keeps tasks.created_at, and moves tasks.updated_at strictly forward when, and only when, a row changes.';
comment on trigger trigger_tasks_updated_at on tasks is 'Owns both timestamps: see update_tasks_updated_at().';
