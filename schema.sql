-- What the migrations make, up to V5__insert_task.
-- Written by `migrator dump`, never by hand: a change goes into a migration.

-- Some functions mention what is created after them, or what is found by their own search path.
set check_function_bodies = off;

create function insert_task(owner text, title text, description text, status text, priority text, address text)
  returns integer
  language plpgsql
as $function$
-- A provider's table of users may have columns of these names.
#variable_conflict use_variable
declare
  new_id integer;
begin
  if address is not null then
    insert into tasks (user_id, title, description, status, priority, created_at, updated_at)
    select owner, title, description, status, priority, current_timestamp, current_timestamp
      from users
     where users.id = owner
       and users.email = address
    returning tasks.id into new_id;
    if new_id is not null then
      return new_id;
    end if;

    -- There is no account, or it has another address and follows. An address of another account stays there.
    insert into users (id, email)
    select owner, address
     where not exists (select from users where users.email = address)
    on conflict (id) do update set email = excluded.email;
  end if;

  -- No id is drawn without an account: one that was drawn and is not used is lost.
  insert into tasks (user_id, title, description, status, priority, created_at, updated_at)
  select owner, title, description, status, priority, current_timestamp, current_timestamp
    from users
   where users.id = owner
  returning tasks.id into new_id;
  return new_id;
end
$function$;
comment on function insert_task(text, text, text, text, text, text) is 'Inserts a task, with the time of the transaction, and gives its id. With an address, the owner''s account is created, or follows it, unless it is another account''s. Null where the owner has no account.';

create function update_tasks_updated_at()
  returns trigger
  language plpgsql
  set search_path to ''
as $function$
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
$function$;
comment on function update_tasks_updated_at() is 'Keeps tasks.created_at, and moves tasks.updated_at strictly forward when, and only when, a row changes.';

create table users (
  id varchar not null,
  email varchar not null,
  constraint users_pkey primary key (id),
  constraint users_email_key unique (email)
);

comment on table users is 'Owned by Taskie''s migrations: the people whose tasks these are. Undoing the initial schema drops a table with this comment.';
comment on column users.id is 'The id from the authentication provider (the token''s subject): opaque text.';
comment on column users.email is 'The address to reach this person at; no two users share one.';
comment on constraint users_pkey on users is 'One row for each id of the authentication provider.';
comment on index users_pkey is 'Finds a user by id; tasks point to it.';
comment on constraint users_email_key on users is 'One user for each address.';
comment on index users_email_key is 'Finds a user by address.';

create table idempotency_keys (
  user_id varchar not null,
  key varchar(255) not null,
  fingerprint bytea not null,
  task_id integer not null,
  created_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (user_id, key),
  constraint idempotency_keys_fingerprint_length check (length(fingerprint) = 32),
  constraint idempotency_keys_user_id_fkey foreign key (user_id) references users(id) on delete cascade
);

comment on table idempotency_keys is 'Which task an Idempotency-Key has made, for a day.';
comment on column idempotency_keys.user_id is 'Whose key it is: the same key of another user is another key.';
comment on column idempotency_keys.key is 'The key as the client sent it, without quotes.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of what was asked for: the same key for something else is refused.';
comment on column idempotency_keys.task_id is 'The task that was made, which may be gone.';
comment on column idempotency_keys.created_at is 'When the task was made. A day later the key can be used again.';
comment on constraint idempotency_keys_pkey on idempotency_keys is 'A user uses a key once.';
comment on index idempotency_keys_pkey is 'Finds a key of a user.';
comment on constraint idempotency_keys_fingerprint_length on idempotency_keys is 'A SHA-256 has 32 bytes.';
comment on constraint idempotency_keys_user_id_fkey on idempotency_keys is 'Keys are deleted with their user.';

create index idx_idempotency_keys_created on idempotency_keys (created_at);
comment on index idx_idempotency_keys_created is 'Finds the keys that have expired.';

create table tasks (
  id serial,
  user_id varchar not null,
  title varchar(255) not null,
  description varchar(5000),
  status varchar(20) not null default 'incomplete',
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp,
  priority varchar(10) not null default 'medium',
  constraint tasks_pkey primary key (id),
  constraint tasks_description_length check (description is null or length(description::text) <= 5000),
  constraint tasks_priority_check check (priority::text = any (array['low'::character varying::text, 'medium'::character varying::text, 'high'::character varying::text])),
  constraint tasks_status_check check (status::text = any (array['incomplete'::character varying::text, 'complete'::character varying::text])),
  constraint tasks_title_length check (length(title::text) >= 1 and length(title::text) <= 255),
  constraint tasks_user_id_fkey foreign key (user_id) references users(id) on delete cascade
);

comment on table tasks is 'What people have to do. Every row belongs to one user and goes when the user goes.';
comment on column tasks.id is 'Counts up; never used again.';
comment on column tasks.user_id is 'The owner. Every query of the API has it in its WHERE.';
comment on column tasks.title is 'What is to be done: 1 to 255 characters, as sent.';
comment on column tasks.description is 'More about it, up to 5000 characters, or null.';
comment on column tasks.status is 'incomplete or complete.';
comment on column tasks.created_at is 'When the task was made. The trigger keeps it: no UPDATE can change it.';
comment on column tasks.updated_at is 'When the row last changed. The trigger sets it: strictly forward with every change of the row, and only then.';
comment on column tasks.priority is 'Owned by Taskie''s migrations: low, medium or high. Undoing task_priority drops a column with this comment.';
comment on sequence tasks_id_seq is 'Gives out tasks.id.';
comment on constraint tasks_pkey on tasks is 'One row for each task.';
comment on index tasks_pkey is 'Finds a task by id; whose it is, is checked on the row.';
comment on constraint tasks_description_length on tasks is 'A description has at most 5000 characters.';
comment on constraint tasks_priority_check on tasks is 'The priority of a task is low, medium or high.';
comment on constraint tasks_status_check on tasks is 'A task is incomplete or complete.';
comment on constraint tasks_title_length on tasks is 'A title has 1 to 255 characters.';
comment on constraint tasks_user_id_fkey on tasks is 'A task belongs to a user, and is deleted with the user.';

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

reset check_function_bodies;
