-- Undoes the initial schema. Every task is lost.
--
-- Nothing is dropped with CASCADE: where something else has come to depend on these objects, this fails and changes nothing.

drop table tasks;
drop function update_tasks_updated_at();

-- `users` goes only where the initial schema made it, which its comment tells; an authentication provider's table stays
-- with its rows. Our own goes with its rows, also those that a provider has written since: without it the initial schema
-- could not be applied again as if for the first time. To keep it, change its comment first.
do $$
begin
  if obj_description(to_regclass('users'), 'pg_class') like 'Owned by Taskie''s migrations%' then
    drop table users;
  end if;
end
$$;
