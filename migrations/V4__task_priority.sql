-- A task has a priority, and a list can be sorted by it: high to low, and newest first among equals.
--
-- A database may have a column `priority` already, as the API's predecessor made one. Its values stay, and so do its type and
-- its comment; only what is missing is added: the check, the default, and `not null` (unless a row is null, which the API reads
-- as medium). Comments on the check and on the index say what was added, for the undo script.
--
-- Safe beside a running API, which needs no priority: new tasks are medium. `tasks` is locked while the index is built: some
-- 0.5 s for 200,000 tasks. Where that is too long, run the `alter table` below and `create index concurrently` beforehand:
-- this script then finds both and is done in a moment.

do $$
declare
  kind text;
  found bigint;
  definition text;
begin
  select type.typcategory::text || format_type(atttypid, atttypmod) into kind
    from pg_catalog.pg_attribute join pg_catalog.pg_type as type on type.oid = atttypid
   where attrelid = 'tasks'::regclass and attname = 'priority' and not attisdropped;

  if kind is null then
    alter table tasks
      add column priority varchar(10) not null default 'medium',
      add constraint tasks_priority_check check (priority in ('low', 'medium', 'high'));
    comment on column tasks.priority is
      'Owned by Taskie''s migrations: low, medium or high. Undoing task_priority drops a column with this comment.';
    comment on constraint tasks_priority_check on tasks is 'The priority of a task is low, medium or high.';
    return;
  end if;

  -- What cannot become the column.
  if kind not like 'S%' then
    raise exception using
      errcode = 'datatype_mismatch',
      message = format('the existing column "priority" of "tasks" has the type %s, but priorities here are text', substr(kind, 2)),
      hint = 'Drop its default, then: alter table tasks alter column priority type varchar(10) using priority::text;';
  end if;
  select count(*) into found from tasks where priority not in ('low', 'medium', 'high');
  if found > 0 then
    raise exception using
      errcode = 'check_violation',
      message = format('%s in the existing column "priority" of "tasks" %s neither ''low'', ''medium'' nor ''high''',
                       case found when 1 then '1 value' else found || ' values' end, case found when 1 then 'is' else 'are' end),
      hint = 'Change what this finds: select id, user_id, priority from tasks where priority not in (''low'', ''medium'', ''high'');';
  end if;
  select pg_get_constraintdef(oid) into definition
    from pg_catalog.pg_constraint
   where conrelid = 'tasks'::regclass and conname = 'tasks_priority_check';
  if (select array_agg(value[1] order by value[1]) from regexp_matches(definition, '''([^'']*)''', 'g') as value)
     is distinct from array['high', 'low', 'medium'] and definition is not null then
    raise exception using
      errcode = 'duplicate_object',
      message = format('the existing constraint "tasks_priority_check" is another one: %s', definition),
      hint = 'Drop it: alter table tasks drop constraint tasks_priority_check;';
  end if;

  -- An index of a build that failed would be taken for the one below.
  if exists (
    select from pg_catalog.pg_index
     where indexrelid = to_regclass('idx_tasks_user_status_priority') and not indisvalid) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'the existing index "idx_tasks_user_status_priority" is not valid: its build has failed or goes on',
      hint = 'Wait for its end, or drop it: drop index concurrently idx_tasks_user_status_priority;';
  end if;

  if definition is null then
    alter table tasks add constraint tasks_priority_check check (priority in ('low', 'medium', 'high'));
    comment on constraint tasks_priority_check on tasks is
      'The priority of a task is low, medium or high. Added to a column that was there.';
  end if;
end
$$;

-- The key of a page: rank, creation time and id. One index for both lists: that of one status is a range of it, and that of
-- all tasks merges the ranges of the two. PostgreSQL writes one more of these for each task, and not two.
-- migrator: allow require-concurrent-index-creation because it would need a script without a transaction, which not every client of `migrator sql` can run; the comment above says what to do for a large table
create index if not exists idx_tasks_user_status_priority on tasks (
  user_id, status, (case priority when 'high' then 3 when 'low' then 1 else 2 end) desc, created_at desc, id desc
);

-- The rest of what a column lacks that was there.
do $$
declare
  has_default boolean;
  is_nullable boolean;
  lacked text[] := '{}';
begin
  select atthasdef, not attnotnull into has_default, is_nullable
    from pg_catalog.pg_attribute
   where attrelid = 'tasks'::regclass and attname = 'priority';
  if not has_default then
    alter table tasks alter column priority set default 'medium';
    lacked := lacked || 'default'::text;
  end if;
  if is_nullable and not exists (select from tasks where priority is null) then
    alter table tasks alter column priority set not null;
    lacked := lacked || 'not null'::text;
  end if;
  execute format(
    'comment on index idx_tasks_user_status_priority is %L',
    'Lists the tasks of a user by priority, page by page, also those of one status.'
    || coalesce(' The column lacked: ' || nullif(array_to_string(lacked, ', '), '') || '.', ''));
end
$$;
