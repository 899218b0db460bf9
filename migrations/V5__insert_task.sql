-- A function that inserts a task, and before it the account of its owner where there is none.
--
-- PostgreSQL keeps the plans of a function's statements for each session. A statement that the API sends is planned each time,
-- and to plan the search for the account takes longer than to search.
--
-- Safe beside a running API: it creates a new object only. The API of this version needs it.

create function insert_task(
  owner text, title text, description text, status text, priority text, address text
)
  returns integer
  language plpgsql
as $$
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
$$;
comment on function insert_task(text, text, text, text, text, text) is
  'Inserts a task, with the time of the transaction, and gives its id. With an address, the owner''s account is created, or follows it, unless it is another account''s. Null where the owner has no account.';
