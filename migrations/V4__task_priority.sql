-- A task has a priority, and a list can be sorted by it: high to low, and newest first among equals.
--
-- A database may have a column `priority` already, as the API's predecessor made one. Its values stay, and so do its type and
-- its comment; only what is missing is added: the check, the default, and `not null` (unless a row is null, which the API reads
-- as medium). A comment on the index says what was added, for the undo script.
--
-- Safe beside a running API, which needs no priority: new tasks are medium. `tasks` is locked while the rows are checked and
-- the index is built, some 0.5 s for 200,000 tasks. With millions of them, first add the column as below and build the index
-- `concurrently`: what is there already is kept.

do $$
declare
  kind text;
  found bigint;
  definition text;
  added text := '';
begin
  select typcategory::text || format_type(atttypid, atttypmod) into kind
    from pg_catalog.pg_attribute join pg_catalog.pg_type on pg_type.oid = atttypid
   where attrelid = 'tasks'::regclass and attname = 'priority' and not attisdropped;

  if kind is null then
    alter table tasks add column priority varchar(10) not null default 'medium';
    comment on column tasks.priority is
      'Owned by Taskie''s migrations: low, medium or high. Undoing task_priority drops a column with this comment.';
  elsif kind not like 'S%' then
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
  if definition is null then
    alter table tasks add constraint tasks_priority_check check (priority in ('low', 'medium', 'high'));
    comment on constraint tasks_priority_check on tasks is 'The priority of a task is low, medium or high.';
    added := added || ' check';
  elsif (select array_agg(value[1] order by value[1]) from regexp_matches(definition, '''([^'']*)''', 'g') as value)
        is distinct from array['high', 'low', 'medium'] then
    raise exception using
      errcode = 'duplicate_object',
      message = format('the existing constraint "tasks_priority_check" is another one: %s', definition),
      hint = 'Drop it: alter table tasks drop constraint tasks_priority_check;';
  end if;

  if not (select atthasdef from pg_catalog.pg_attribute where attrelid = 'tasks'::regclass and attname = 'priority') then
    alter table tasks alter column priority set default 'medium';
    added := added || ' default';
  end if;
  if not (select attnotnull from pg_catalog.pg_attribute where attrelid = 'tasks'::regclass and attname = 'priority')
     and not exists (select from tasks where priority is null) then
    alter table tasks alter column priority set not null;
    added := added || ' not-null';
  end if;

  if not (select indisvalid from pg_catalog.pg_index where indexrelid = to_regclass('idx_tasks_user_status_priority')) then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'the existing index "idx_tasks_user_status_priority" is invalid: its build failed',
      hint = 'Drop it: drop index idx_tasks_user_status_priority;';
  end if;
  -- The key of a page: rank, creation time and id. One index for both lists: that of one status is a range of it, and that of
  -- all tasks merges the ranges of the two. PostgreSQL writes one more of these for each task, and not two.
  create index if not exists idx_tasks_user_status_priority on tasks (
    user_id, status, (case priority when 'high' then 3 when 'low' then 1 else 2 end) desc, created_at desc, id desc
  );
  execute format('comment on index idx_tasks_user_status_priority is %L',
    'Lists the tasks of a user by priority, page by page, also those of one status.' ||
    case when kind is null or added = '' then '' else ' Added to the column that was there:' || added || '.' end);
end
$$;
