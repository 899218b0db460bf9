-- Undoes the function that inserts tasks. The API of this version needs it: go back to the one before first.

drop function insert_task(text, text, text, text, text, text);
