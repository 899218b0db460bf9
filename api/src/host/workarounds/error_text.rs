//! Spin 3.6 and newer give an error of PostgreSQL as text where it came while a statement was executed, although
//! the interface has a structure for it.

use crate::host::sql::SqlFailure;

/// The failure in a host's text.
///
/// Spin 4 writes the structure out, as Rust's `Debug` does: so it can be read. Spin 3.6 writes only that there
/// was an error of the database, and its message: it has no SQLSTATE, and `code` is empty.
pub(crate) fn read(text: String) -> SqlFailure {
    if let Some(code) = value(&text, "\", code: \"") {
        return SqlFailure::Refused {
            message: value(&text, "\", message: \"").unwrap_or_default(),
            constraint: value(&text, "(\"constraint\", \""),
            code,
        };
    }
    if text.starts_with("db error") {
        return SqlFailure::Refused { code: String::new(), constraint: None, message: text };
    }
    // Without an error of the database, the connection broke: the server is gone.
    SqlFailure::Connection(text)
}

/// The text after this one, up to its quote. Quotes within are escaped: nothing in a message looks like the
/// structure around it.
fn value(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let mut value = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(value),
            // Nearly always a quote or a backslash; the text is for the log.
            '\\' => value.push(chars.next()?),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SqlFailure, read};

    #[test]
    fn an_error_is_read_from_what_a_host_writes() {
        let quoted = |message: &str| {
            format!(
                r#"Error::QueryFailed(QueryError::DbError(DbError {{ as-text: "Error {{ kind: Db, cause: Some(DbError {{ severity: \"ERROR\", code: SqlState(E23505), message: \"x\" }}) }}", severity: "ERROR", code: "23505", message: {message:?}, detail: None, extras: [("constraint", "users_email_key"), ("line", "1")] }}))"#
            )
        };
        for (label, text, code, constraint) in [
            ("Spin 4", quoted("duplicate key"), "23505", Some("users_email_key")),
            (
                "a message that looks like it",
                quoted("a\", code: \"00000\""),
                "23505",
                Some("users_email_key"),
            ),
            ("Spin 3.6", "db error\n\nCaused by:\n    ERROR: no".to_owned(), "", None),
        ] {
            let SqlFailure::Refused { code: found, constraint: named, .. } = read(text) else {
                panic!("{label}");
            };
            assert_eq!((found.as_str(), named.as_deref()), (code, constraint), "{label}");
        }
        let SqlFailure::Refused { message, .. } = read(quoted("the table \"users\"")) else {
            panic!("a refusal");
        };
        assert_eq!(message, "the table \"users\"");
        assert!(matches!(read("connection closed".to_owned()), SqlFailure::Connection(_)));
    }
}
