//! Percent-encoding (RFC 3986, section 2.1), strict in both directions.

use std::fmt::Write as _;

/// Encodes everything but the unreserved characters, so that no driver's parser can take any of it
/// for syntax.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    encoded
}

/// Decodes `%41` to `A`. `None` where a `%` is not followed by two hexadecimal digits, where the
/// result is not UTF-8, or where it has a U+0000, which PostgreSQL's protocol cannot carry. A `+`
/// stays a plus, as in libpq.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            plain => plain,
        };
        if byte == 0 {
            return None;
        }
        decoded.push(byte);
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn every_ascii_character_but_nul_survives_the_round_trip() {
        let all: String = (1..=127_u8).map(char::from).collect();
        assert_eq!(decode(&encode(&all)).as_deref(), Some(all.as_str()));
    }

    #[test]
    fn characters_beyond_ascii_are_encoded_as_utf_8() {
        assert_eq!(encode("ß€"), "%C3%9F%E2%82%AC");
        assert_eq!(decode("%C3%9F%e2%82%ac").as_deref(), Some("ß€"));
    }

    #[test]
    fn malformed_encodings_are_refused() {
        for (label, text) in [
            ("cut off", "%4"),
            ("lone percent", "100%"),
            ("not hexadecimal", "%zz"),
            ("sign instead of a digit", "%+1"),
            ("not UTF-8", "%FF"),
            ("NUL", "%00"),
        ] {
            assert_eq!(decode(text), None, "{label}");
        }
    }
}
