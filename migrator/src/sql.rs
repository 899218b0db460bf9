//! Just enough of PostgreSQL's lexer to tell statements apart: strings, comments, dollar quotes,
//! and the bodies of SQL functions (`begin atomic … end`), which contain semicolons, follow psql's
//! rules.
//!
//! It serves two purposes: refusing scripts that would end the transaction which they run in, and
//! naming the place of a statement whose error has no position. Where it should ever be wrong about
//! the first, the check after the script, that the transaction is still the same, is not.

/// One statement of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The byte offset of its first token.
    pub(crate) start: usize,
    /// Its first few words, in upper case; quoted identifiers do not count.
    words: Vec<String>,
    reads_standard_input: bool,
}

/// Why a script cannot run in a transaction that somebody else opened and will close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    TransactionControl,
    StandardInput,
}

impl Statement {
    /// The statement's name, as far as messages need it: `COMMIT`, `START TRANSACTION`.
    pub(crate) fn name(&self) -> String {
        match self.words.first().map(String::as_str) {
            Some("START" | "PREPARE") => self.words[..2].join(" "),
            Some(word) => word.to_owned(),
            None => String::new(),
        }
    }

    /// Whether it is a `set lock_timeout`, for whatever scope.
    pub(crate) fn sets_lock_timeout(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["SET", "LOCK_TIMEOUT", ..] | ["SET", "LOCAL" | "SESSION", "LOCK_TIMEOUT", ..]
        )
    }

    pub(crate) fn objection(&self) -> Option<Objection> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words[..] {
            // Going back to a savepoint stays within the transaction.
            ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => None,
            ["BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "ABORT", ..]
            | ["START" | "PREPARE", "TRANSACTION", ..] => Some(Objection::TransactionControl),
            ["COPY", ..] if self.reads_standard_input => Some(Objection::StandardInput),
            _ => None,
        }
    }
}

/// How many words of a statement are kept.
const WORDS: usize = 4;

/// Splits a script at its semicolons. Empty statements are left out, as PostgreSQL leaves them out.
pub(crate) fn statements(script: &str) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut current: Option<Statement> = None;
    let mut parentheses = 0_usize;
    let mut body_depth = 0_usize;
    let mut at = 0;
    while at < script.len() {
        let (kind, end) = next_token(script, at);
        let text = &script[at..end];
        match kind {
            Token::Space => {}
            Token::Semicolon if parentheses == 0 && body_depth == 0 => {
                statements.extend(current.take());
            }
            _ => {
                let statement = current.get_or_insert_with(|| Statement {
                    start: at,
                    words: Vec::new(),
                    reads_standard_input: false,
                });
                match text {
                    "(" => parentheses += 1,
                    ")" => parentheses = parentheses.saturating_sub(1),
                    _ => {}
                }
                if kind == Token::Word {
                    let word = text.to_ascii_uppercase();
                    match word.as_str() {
                        "BEGIN" if statement.creates_routine() => body_depth += 1,
                        "CASE" if body_depth > 0 => body_depth += 1,
                        "END" if body_depth > 0 => body_depth -= 1,
                        "STDIN" => statement.reads_standard_input = true,
                        _ => {}
                    }
                    if statement.words.len() < WORDS {
                        statement.words.push(word);
                    }
                }
            }
        }
        at = end;
    }
    statements.extend(current);
    statements
}

/// Whether the last statement ends with a semicolon; so does a script without any.
pub(crate) fn is_terminated(script: &str) -> bool {
    let mut terminated = true;
    let mut at = 0;
    while at < script.len() {
        let (kind, end) = next_token(script, at);
        match kind {
            Token::Space => {}
            Token::Semicolon => terminated = true,
            Token::Word | Token::Other => terminated = false,
        }
        at = end;
    }
    terminated
}

impl Statement {
    fn creates_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["CREATE", "FUNCTION" | "PROCEDURE", ..]
                | ["CREATE", "OR", "REPLACE", "FUNCTION" | "PROCEDURE", ..]
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    /// White space or a comment.
    Space,
    Word,
    Semicolon,
    /// A string, a quoted identifier, a number, an operator.
    Other,
}

/// The token at `at` and the offset where it ends. An unterminated one reaches to the end.
fn next_token(script: &str, at: usize) -> (Token, usize) {
    let rest = &script[at..];
    let to_end = script.len();
    let end_of = |offset: Option<usize>| offset.map_or(to_end, |offset| at + offset);
    let first = rest.chars().next().unwrap_or_default();
    match first {
        ';' => (Token::Semicolon, at + 1),
        '-' if rest.starts_with("--") => (Token::Space, end_of(rest.find('\n'))),
        '/' if rest.starts_with("/*") => (Token::Space, end_of(end_of_comment(rest))),
        '\'' => (Token::Other, end_of(end_of_quoted(rest, '\'', false))),
        '"' => (Token::Other, end_of(end_of_quoted(rest, '"', false))),
        'e' | 'E' if rest[1..].starts_with('\'') => {
            (Token::Other, end_of(end_of_quoted(&rest[1..], '\'', true).map(|offset| offset + 1)))
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let end = rest[tag.len()..].find(tag).map(|offset| offset + 2 * tag.len());
                (Token::Other, end_of(end))
            }
            None => (Token::Other, at + 1),
        },
        space if space.is_whitespace() => {
            (Token::Space, end_of(rest.find(|c: char| !c.is_whitespace())))
        }
        letter if is_word_start(letter) => (Token::Word, end_of(rest.find(|c: char| !is_word(c)))),
        // Digits together with what follows, so that the `e'` of a malformed number does not begin
        // a string.
        digit if digit.is_ascii_digit() => (Token::Other, end_of(rest.find(|c: char| !is_word(c)))),
        other => (Token::Other, at + other.len_utf8()),
    }
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_word(c: char) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == '$'
}

/// Comments nest.
fn end_of_comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(offset) = text[at..].find(['/', '*']) {
        at += offset;
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// The end of a quoted text that begins `text`. A doubled quote is seen as two texts in a row,
/// which comes to the same.
fn end_of_quoted(text: &str, quote: char, backslash_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((offset, c)) = characters.next() {
        if c == '\\' && backslash_escapes {
            characters.next();
        } else if c == quote {
            return Some(offset + 1);
        }
    }
    None
}

/// `$$` or `$name$` at the beginning.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let name = &text[1..end - 1];
    let starts_well = name.chars().next().is_none_or(is_word_start);
    (starts_well && name.chars().all(is_word)).then_some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::{Objection, is_terminated, statements};

    fn starts(script: &str) -> Vec<&str> {
        statements(script)
            .iter()
            .map(|statement| script[statement.start..].split(' ').next().unwrap_or(""))
            .collect()
    }

    #[test]
    fn a_missing_last_semicolon_is_noticed() {
        for (label, script, expected) in [
            ("nothing", "", true),
            ("only a comment", "-- a", true),
            ("terminated", "a;", true),
            ("a comment after it", "a; -- b", true),
            ("not terminated", "a; b", false),
            ("in a comment only", "a -- b;", false),
            ("in a string only", "a 'b;'", false),
        ] {
            assert_eq!(is_terminated(script), expected, "{label}");
        }
    }

    #[test]
    fn limits_of_a_script_are_noticed() {
        for (script, expected) in [
            ("set lock_timeout = '1s'", true),
            ("select 1; SET LOCAL lock_timeout TO 0;", true),
            ("set session lock_timeout = 0", true),
            ("set statement_timeout = '1s'", false),
            ("-- set lock_timeout = 0", false),
        ] {
            let found = statements(script).iter().any(super::Statement::sets_lock_timeout);
            assert_eq!(found, expected, "{script}");
        }
    }

    #[test]
    fn scripts_are_split_where_postgresql_splits_them() {
        for (label, script, expected) in [
            ("nothing", "", &[][..]),
            ("only a comment", "-- select 1;\n/* ; /* ; */ ; */", &[]),
            ("empty statements", ";; a ;; b ;", &["a", "b"]),
            ("no final semicolon", "a 1; b 2", &["a", "b"]),
            ("comments before", "-- x;\n a 1; /* y; */ b 2", &["a", "b"]),
            ("string", "a ';' ; b", &["a", "b"]),
            ("string with a doubled quote", "a 'x'';' ; b", &["a", "b"]),
            ("string with a backslash", "a '\\' ; b ';'", &["a", "b"]),
            ("escape string", "a e'\\';' ; b", &["a", "b"]),
            ("quoted identifier", "a \";\" ; b", &["a", "b"]),
            ("dollar quotes", "a $$ ; $$ ; b $x$ $$ ; $$ $x$ ; c", &["a", "b", "c"]),
            ("parameter", "a $1 ; b $1", &["a", "b"]),
            ("dollar in a name", "a x$y ; b x$y", &["a", "b"]),
            (
                "rule with several actions",
                "create rule r as on insert to t do (a ; b) ; c",
                &["create", "c"],
            ),
            (
                "SQL function body",
                "create or replace function f() returns int begin atomic select case when true then 1 end ; select 2 ; end ; c",
                &["create", "c"],
            ),
            ("unterminated string", "a ' ; b", &["a"]),
            ("beyond ASCII", "größe 'ü;' ; b", &["größe", "b"]),
        ] {
            assert_eq!(starts(script), expected, "{label}");
        }
    }

    #[test]
    fn statements_that_cannot_run_inside_a_transaction_of_ours_are_found() {
        for (script, expected) in [
            ("begin", Some(Objection::TransactionControl)),
            ("BEGIN WORK", Some(Objection::TransactionControl)),
            ("/* x */ Commit", Some(Objection::TransactionControl)),
            ("end", Some(Objection::TransactionControl)),
            ("rollback", Some(Objection::TransactionControl)),
            ("rollback work", Some(Objection::TransactionControl)),
            ("rollback prepared 'x'", Some(Objection::TransactionControl)),
            ("abort", Some(Objection::TransactionControl)),
            ("start transaction", Some(Objection::TransactionControl)),
            ("prepare transaction 'x'", Some(Objection::TransactionControl)),
            ("copy t from stdin", Some(Objection::StandardInput)),
            ("copy t from '/tmp/x'", None),
            ("savepoint a", None),
            ("release savepoint a", None),
            ("rollback to savepoint a", None),
            ("rollback transaction to a", None),
            ("prepare x as select 1", None),
            ("do $$ begin null; end $$", None),
            ("create function f() returns int begin atomic select 1; end", None),
            ("select 'commit'", None),
            ("comment on table t is 'commit; begin'", None),
        ] {
            let found: Vec<_> =
                statements(script).iter().map(super::Statement::objection).collect();
            assert_eq!(found, [expected], "{script}");
        }
    }

    #[test]
    fn statements_are_named_by_their_first_words() {
        for (script, name) in
            [("commit and chain", "COMMIT"), ("start transaction read only", "START TRANSACTION")]
        {
            assert_eq!(statements(script)[0].name(), name, "{script}");
        }
    }
}
