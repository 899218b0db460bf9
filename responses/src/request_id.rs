//! The id of a request, which its response, its line in the log and a problem document carry.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;

/// The header that carries it, both ways.
pub const REQUEST_ID: &str = "x-request-id";

/// The longest id that is taken over from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The caller's id if it is sane, else a new one.
pub fn of(headers: &HeaderMap) -> String {
    headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_sane_id(id))
        .map_or_else(new_id, str::to_owned)
}

/// Letters, digits and the punctuation of UUIDs, ULIDs and trace ids: nothing that could break a
/// log line or a header.
fn is_sane_id(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

/// 128 bits in hexadecimal: random ones of the instance's, counted on. It is no secret, and must only
/// be another one than all others. Without a source of randomness it is a count, which is still an id.
fn new_id() -> String {
    static FIRST: OnceLock<u128> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let first = FIRST.get_or_init(|| {
        let mut bytes = [0; 16];
        let _ = getrandom::fill(&mut bytes);
        u128::from_be_bytes(bytes)
    });
    let count = u128::from(COUNT.fetch_add(1, Ordering::Relaxed));
    // An odd factor: the whole id changes, and none comes back.
    let id = first.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    format!("{id:032x}")
}

#[cfg(test)]
mod tests {
    use super::{is_sane_id, new_id};

    #[test]
    fn an_id_with_spaces_control_characters_or_too_many_bytes_is_not_sane() {
        for (label, id, sane) in [
            ("uuid", "5c4f8f0e-6d0b-4a54-8d3f-0b8a7f1f3a55", true),
            ("aws trace id", "Root=1-67891233-abcdef012345678912345678", true),
            ("longest", &"x".repeat(128), true),
            ("too long", &"x".repeat(129), false),
            ("empty", "", false),
            ("space", "a b", false),
            ("line break", "a\nb", false),
            ("quote", "a\"b", false),
            ("not ASCII", "é", false),
        ] {
            assert_eq!(is_sane_id(id), sane, "{label}");
        }
    }

    #[test]
    fn new_ids_differ_and_are_sane() {
        assert_ne!(new_id(), new_id());
        assert!(is_sane_id(&new_id()));
    }
}
