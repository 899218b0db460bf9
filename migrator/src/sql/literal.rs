//! Texts as literals.

/// A text as a literal, whatever `standard_conforming_strings` is.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', r"\\"))
    } else {
        format!("'{quoted}'")
    }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn texts_are_quoted() {
        for (text, sql) in [("a", "'a'"), ("it's", "'it''s'"), (r"\n'", r"E'\\n'''")] {
            assert_eq!(literal(text), sql);
        }
    }
}
