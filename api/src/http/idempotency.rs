//! `Idempotency-Key` (the IETF's draft-ietf-httpapi-idempotency-key-header): a request that may be
//! sent again without being done again.

use http::{HeaderMap, HeaderName};

use crate::error::ApiError;

/// The header of the request.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest key, in bytes.
const MAX_KEY_BYTES: usize = 255;

/// A key, without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(pub(crate) String);

impl IdempotencyKey {
    /// Reads the header. The draft has the key in quotes, as a string of RFC 8941; most clients send
    /// it bare, and it is the same key.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, ApiError> {
        let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let key = value.to_str().ok().map(str::trim).and_then(unquoted);
        match (key, values.next()) {
            (Some(key), None) => Ok(Some(Self(key))),
            _ => Err(ApiError::BadRequest(format!(
                "Idempotency-Key must be one key of 1 to {MAX_KEY_BYTES} visible ASCII characters"
            ))),
        }
    }
}

fn unquoted(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        None => text.to_owned(),
        Some(rest) => {
            let inner = rest.strip_suffix('"')?;
            let mut key = String::new();
            let mut characters = inner.chars();
            while let Some(character) = characters.next() {
                match character {
                    '\\' => key.push(characters.next().filter(|next| "\"\\".contains(*next))?),
                    '"' => return None,
                    _ => key.push(character),
                }
            }
            key
        }
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && (1..=MAX_KEY_BYTES).contains(&key.len())).then_some(key)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::{IDEMPOTENCY_KEY, IdempotencyKey};

    #[test]
    fn a_key_is_the_same_with_and_without_quotes() {
        let longest = "k".repeat(255);
        let too_long = "k".repeat(256);
        for (label, values, expected) in [
            ("none", &[][..], Ok(None)),
            ("bare", &["8e03978e-40d5"], Ok(Some("8e03978e-40d5"))),
            ("quoted", &["\"8e03978e-40d5\""], Ok(Some("8e03978e-40d5"))),
            ("with space around", &[" a "], Ok(Some("a"))),
            ("an escaped quote", &["\"a\\\"b\""], Ok(Some("a\"b"))),
            ("longest", &[longest.as_str()], Ok(Some(longest.as_str()))),
            ("too long", &[too_long.as_str()], Err(())),
            ("empty", &[""], Err(())),
            ("empty quotes", &["\"\""], Err(())),
            ("one quote", &["\"a"], Err(())),
            ("a quote within", &["\"a\"b\""], Err(())),
            ("a bad escape", &["\"a\\b\""], Err(())),
            ("a space within", &["a b"], Err(())),
            ("two", &["a", "a"], Err(())),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = HeaderValue::from_str(value).expect("a header");
                headers.append(IDEMPOTENCY_KEY, value);
            }
            let read = IdempotencyKey::of(&headers).map(|key| key.map(|key| key.0));
            let read = read.as_ref().map(Option::as_deref).map_err(|_| ());
            assert_eq!(read, expected, "{label}");
        }
    }
}
