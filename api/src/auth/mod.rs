//! Authentication: the token's user must be the user in the path.

mod account_hint;
pub(crate) mod algorithms;
mod caller;
mod jwks_cache;
mod jwks_client;
mod jwks_record;
mod jwks_store;
mod jwt;
pub(crate) mod key_set;
#[cfg(test)]
mod properties;
mod token_cache;
mod verifier;

pub(crate) use self::account_hint::AccountHint;
pub(crate) use self::caller::Caller;
pub(crate) use self::verifier::refresh_keys;
