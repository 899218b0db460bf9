-- What a client has asked for once, it may ask for again: a `POST` with an `Idempotency-Key` that was seen within a day
-- makes no second task. A row says which task the key has made. The answer is not kept: it follows from the row and from
-- the request, which must be the same.
--
-- No foreign key to `tasks`: a task may be deleted, and the retry of its creation still must not make another one. Rows
-- that have expired are deleted by later requests with a key, a few at a time.
--
-- Safe beside a running API: it makes a table that nothing uses yet. The foreign key waits for writes to `users` to end
-- and holds new ones back until this transaction is over, a moment. Run `migrator grant` again afterwards, where the API
-- has a role of its own.

create table idempotency_keys (
  user_id varchar not null,
  key varchar(255) not null,
  fingerprint bytea not null,
  task_id integer not null,
  created_at timestamptz not null,
  constraint idempotency_keys_pkey primary key (user_id, key),
  constraint idempotency_keys_fingerprint_length check (length(fingerprint) = 32)
);

-- The foreign key by itself, as for `tasks`. What `users` looks like was found out then; whether it may be pointed to can
-- have changed, where the table is a provider's.
do $$
begin
  alter table idempotency_keys
    add constraint idempotency_keys_user_id_fkey foreign key (user_id) references users (id) on delete cascade;
exception
  when insufficient_privilege then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('role "%s" may not point a foreign key at the existing table "users"', current_user),
      hint = format('As the owner of that table: grant references on users to %I;', current_user);
end
$$;

create index idx_idempotency_keys_created on idempotency_keys (created_at);

comment on table idempotency_keys is 'Which task an Idempotency-Key has made, for a day.';
comment on column idempotency_keys.user_id is 'Whose key it is: the same key of another user is another key.';
comment on column idempotency_keys.key is 'The key as the client sent it, without quotes.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of what was asked for: the same key for something else is refused.';
comment on column idempotency_keys.task_id is 'The task that was made, which may be gone.';
comment on column idempotency_keys.created_at is 'When the task was made. A day later the key can be used again.';
comment on constraint idempotency_keys_pkey on idempotency_keys is 'A user uses a key once.';
comment on index idempotency_keys_pkey is 'Finds a key of a user.';
comment on constraint idempotency_keys_user_id_fkey on idempotency_keys is 'Keys are deleted with their user.';
comment on constraint idempotency_keys_fingerprint_length on idempotency_keys is 'A SHA-256 has 32 bytes.';
comment on index idx_idempotency_keys_created is 'Finds the keys that have expired.';
