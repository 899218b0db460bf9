//! The media type of a failure's body: the same body has two.

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of a problem document (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// The media type for everyone who does not ask for the other one: the predecessor's clients read
/// messages from it only.
pub const JSON: &str = "application/json";

/// The media type for a request: [`PROBLEM_JSON`] if `Accept` names it, with a weight other than 0 (RFC
/// 9110, section 12.4.2). A range with `*` does not name it.
pub fn of(headers: &HeaderMap) -> &'static str {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_named = lines.flat_map(|line| split(line, ',')).any(|range| {
        let mut parts = split(range, ';');
        let name = parts.next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case(PROBLEM_JSON) && parts.all(|parameter| !is_zero_weight(parameter))
    });
    if is_named { PROBLEM_JSON } else { JSON }
}

/// True for `q=0`, with up to three zeros after the point.
fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim();
    name.trim().eq_ignore_ascii_case("q")
        && value.starts_with('0')
        && value.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// Splits a header line, but not within quotes.
fn split(line: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut in_quotes, mut escaped) = (false, false);
    line.split(move |character| {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            _ => return character == separator && !in_quotes,
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;
    use http::{HeaderMap, HeaderValue};

    use super::{JSON, PROBLEM_JSON, of};

    #[test]
    fn a_problem_document_is_for_those_who_ask_for_it() {
        for (label, lines, expected) in [
            ("none", &[][..], JSON),
            ("empty", &[""], JSON),
            ("anything", &["*/*"], JSON),
            ("any application", &["application/*"], JSON),
            ("JSON", &["application/json"], JSON),
            (
                "a browser",
                &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
                JSON,
            ),
            ("another problem", &["application/problem+xml"], JSON),
            ("a longer name", &["application/problem+json-seq, xapplication/problem+json"], JSON),
            ("named", &["application/problem+json"], PROBLEM_JSON),
            ("in upper case", &["Application/Problem+JSON"], PROBLEM_JSON),
            ("with others", &["application/json, application/problem+json"], PROBLEM_JSON),
            ("without a space", &["*/*,application/problem+json;q=0.1"], PROBLEM_JSON),
            ("in another line", &["application/json", "application/problem+json"], PROBLEM_JSON),
            ("with a parameter", &["application/problem+json; charset=utf-8"], PROBLEM_JSON),
            ("with a low weight", &["application/problem+json;q=0.001"], PROBLEM_JSON),
            ("ruled out", &["application/problem+json;q=0, */*"], JSON),
            ("ruled out at length", &["application/problem+json; charset=utf-8 ; Q=0.000"], JSON),
            (
                "ruled out and named",
                &["application/problem+json;q=0.0, application/problem+json"],
                PROBLEM_JSON,
            ),
            ("in a quoted text", &["text/plain; x=\", application/problem+json, \\\" ,\""], JSON),
            (
                "after a quoted text",
                &["text/plain; x=\",;\\\"\", application/problem+json"],
                PROBLEM_JSON,
            ),
            ("another parameter of 0", &["application/problem+json; v=0"], PROBLEM_JSON),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(of(&headers), expected, "{label}");
        }
    }
}
