-- Undoes the idempotency keys. What is lost is the memory of a day: a retry of a request that was answered before makes
-- another task. The API of this version needs the table for every request with a key: go back to the one before first.
-- Locks `users` for a moment.

drop table idempotency_keys;
