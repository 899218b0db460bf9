-- Undoes the priority of tasks. Every priority is lost, unless the column was there before: then it stays with its values,
-- without what was added to it. The API of this version needs the column: go back to the one before first.
-- Locks `tasks` for a moment.
do $$
declare
  about_column text;
  about_check text;
  about_index text := obj_description('idx_tasks_user_status_priority'::regclass, 'pg_class');
begin
  select col_description(attrelid, attnum) into about_column
    from pg_catalog.pg_attribute
   where attrelid = 'tasks'::regclass and attname = 'priority';
  select obj_description(oid, 'pg_constraint') into about_check
    from pg_catalog.pg_constraint
   where conrelid = 'tasks'::regclass and conname = 'tasks_priority_check';

  drop index idx_tasks_user_status_priority;
  if about_column like 'Owned by Taskie''s migrations%' then
    alter table tasks drop column priority;
    return;
  end if;
  if about_check like '%Added to a column that was there.' then
    alter table tasks drop constraint tasks_priority_check;
  end if;
  if about_index like '%lacked:%default%' then
    alter table tasks alter column priority drop default;
  end if;
  if about_index like '%lacked:%not null%' then
    alter table tasks alter column priority drop not null;
  end if;
end
$$;
