//! Authentication and ownership: tokens, keys, user ids, and the tasks of others.

mod bearer_token;
mod invalid_tokens;
mod ownership;
mod public_keys;
mod refusals;
mod user_ids;
