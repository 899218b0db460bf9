//! Statements that cannot share a transaction with anything: those that PostgreSQL refuses to run
//! in one, and those that may commit by themselves.
//!
//! A statement that is not recognised here is found by PostgreSQL's error. Recognition decides the form
//! of an offline script, and the cleanup after a failed build of an index.

use std::ops::Range;

use super::lexer::{Token, next_token};

/// A statement that works beside others, in several transactions of its own. Names are as they are
/// written, quotes included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concurrent<'a> {
    /// `create index concurrently`.
    Create { index: Option<&'a str>, table: &'a str },
    /// `drop index concurrently`.
    Drop { index: &'a str },
    /// `reindex … concurrently`.
    Reindex { rebuilt: Rebuilt<'a> },
    /// `alter table … detach partition … concurrently`.
    Detach,
}

/// Target of a `reindex`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rebuilt<'a> {
    Index(&'a str),
    Table(&'a str),
    /// All of a schema or of the database.
    Many,
}

/// Kind of concurrent statement, if it is one.
pub(crate) fn concurrent(statement: &str) -> Option<Concurrent<'_>> {
    let mut cursor = Cursor::new(statement);
    if cursor.word("CREATE") {
        cursor.word("UNIQUE");
        cursor.expect("INDEX")?;
        cursor.expect("CONCURRENTLY")?;
        if cursor.word("IF") {
            cursor.expect("NOT")?;
            cursor.expect("EXISTS")?;
        }
        let index = if cursor.word("ON") {
            None
        } else {
            let name = cursor.name()?;
            cursor.expect("ON")?;
            Some(name)
        };
        cursor.word("ONLY");
        return Some(Concurrent::Create { index, table: cursor.name()? });
    }
    if cursor.word("DROP") {
        cursor.expect("INDEX")?;
        cursor.expect("CONCURRENTLY")?;
        if cursor.word("IF") {
            cursor.expect("EXISTS")?;
        }
        return Some(Concurrent::Drop { index: cursor.name()? });
    }
    if cursor.word("REINDEX") {
        let is_option = cursor.concurrently_in_parentheses();
        let kind = cursor.any_word()?;
        if !is_option {
            cursor.expect("CONCURRENTLY")?;
        }
        let rebuilt = match kind.as_str() {
            "INDEX" => Rebuilt::Index(cursor.name()?),
            "TABLE" => Rebuilt::Table(cursor.name()?),
            _ => Rebuilt::Many,
        };
        return Some(Concurrent::Reindex { rebuilt });
    }
    cursor.expect("ALTER")?;
    cursor.expect("TABLE")?;
    if cursor.word("IF") {
        cursor.expect("EXISTS")?;
    }
    cursor.word("ONLY");
    cursor.name()?;
    cursor.expect("DETACH")?;
    cursor.expect("PARTITION")?;
    cursor.name()?;
    cursor.expect("CONCURRENTLY")?;
    Some(Concurrent::Detach)
}

/// True if the statement must be sent on its own from the start.
pub(crate) fn needs_own_transaction(statement: &str) -> bool {
    if concurrent(statement).is_some() || may_commit(statement) {
        return true;
    }
    let mut cursor = Cursor::new(statement);
    let words: Vec<String> = std::iter::from_fn(|| cursor.any_word()).take(2).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words[..],
        ["VACUUM", ..]
            | ["CLUSTER"]
            | ["CREATE" | "DROP" | "ALTER", "DATABASE" | "SUBSCRIPTION" | "TABLESPACE"]
            | ["ALTER", "SYSTEM"]
            | ["REINDEX", "DATABASE" | "SCHEMA" | "SYSTEM"]
    )
}

/// True if the statement may commit by itself, so that a part of it can remain when it fails: `call`,
/// and a `do` with `commit` or `rollback` in its body.
pub(crate) fn may_commit(statement: &str) -> bool {
    let mut cursor = Cursor::new(statement);
    if cursor.word("CALL") {
        return true;
    }
    let body = statement.to_ascii_lowercase();
    cursor.word("DO")
        && ["commit", "rollback", "call", "execute"].iter().any(|word| body.contains(word))
}

/// True if the statement sets a session parameter, on which later statements may depend.
pub(crate) fn is_session_setting(statement: &str) -> bool {
    let mut cursor = Cursor::new(statement);
    if cursor.word("RESET") {
        return true;
    }
    if cursor.word("SET") {
        return !(cursor.word("LOCAL") || cursor.word("TRANSACTION") || cursor.word("CONSTRAINTS"));
    }
    // As dumps have it.
    cursor.word("SELECT")
        && cursor.name().is_some_and(|name| {
            let name = name.to_ascii_lowercase();
            name == "set_config" || name == "pg_catalog.set_config"
        })
}

/// Goes through the tokens of one statement.
struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Self {
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let (kind, end) = next_token(text, at);
            if kind != Token::Space {
                tokens.push((kind, at..end));
            }
            at = end;
        }
        Self { text, tokens, at: 0 }
    }

    fn peek(&self) -> Option<(Token, &'a str)> {
        let (kind, range) = self.tokens.get(self.at)?;
        Some((*kind, &self.text[range.clone()]))
    }

    /// Steps over a keyword; none if it is not there.
    fn expect(&mut self, keyword: &str) -> Option<()> {
        match self.peek() {
            Some((Token::Word, text)) if text.eq_ignore_ascii_case(keyword) => {
                self.at += 1;
                Some(())
            }
            _ => None,
        }
    }

    /// Steps over a keyword, if it is there.
    fn word(&mut self, keyword: &str) -> bool {
        self.expect(keyword).is_some()
    }

    /// Steps over a word, whichever it is, and returns it in upper case.
    fn any_word(&mut self) -> Option<String> {
        let (Token::Word, text) = self.peek()? else { return None };
        self.at += 1;
        Some(text.to_ascii_uppercase())
    }

    /// Steps over a name, with a schema in front or without.
    fn name(&mut self) -> Option<&'a str> {
        let start = self.tokens.get(self.at)?.1.start;
        loop {
            self.identifier()?;
            if self.peek() != Some((Token::Other, ".")) {
                return Some(&self.text[start..self.tokens[self.at - 1].1.end]);
            }
            self.at += 1;
        }
    }

    fn identifier(&mut self) -> Option<()> {
        match self.peek()? {
            (Token::Word, _) => self.at += 1,
            (Token::Other, text) if text.starts_with('"') => {
                self.at += 1;
                // A doubled quote inside is seen as two texts in a row.
                while let Some((Token::Other, range)) = self.tokens.get(self.at)
                    && range.start == self.tokens[self.at - 1].1.end
                    && self.text[range.clone()].starts_with('"')
                {
                    self.at += 1;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Steps over options in parentheses; true where `concurrently` is one of them.
    fn concurrently_in_parentheses(&mut self) -> bool {
        if self.peek() != Some((Token::Other, "(")) {
            return false;
        }
        self.at += 1;
        let mut found = false;
        while let Some((kind, text)) = self.peek() {
            self.at += 1;
            if text == ")" {
                break;
            }
            if kind == Token::Word && text.eq_ignore_ascii_case("CONCURRENTLY") {
                found = !matches!(self.peek(), Some((_, value))
                    if ["false", "off", "0"].iter().any(|off| value.eq_ignore_ascii_case(off)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Concurrent, Rebuilt, concurrent, is_session_setting, may_commit, needs_own_transaction,
    };

    #[test]
    fn concurrent_statements_are_told_with_the_names_in_them() {
        let create = |index, table| Some(Concurrent::Create { index, table });
        let reindex = |rebuilt| Some(Concurrent::Reindex { rebuilt });
        for (statement, expected) in [
            ("create index concurrently i on t (a)", create(Some("i"), "t")),
            (
                "CREATE UNIQUE INDEX /* x */ CONCURRENTLY IF NOT EXISTS i ON ONLY \"S s\".t(a)",
                create(Some("i"), "\"S s\".t"),
            ),
            (
                "create index concurrently \"a\"\"b\" on s . t (a)",
                create(Some("\"a\"\"b\""), "s . t"),
            ),
            ("create index concurrently on t (a)", create(None, "t")),
            ("create index i on t (a)", None),
            ("create index concurrently_ on t (a)", None),
            ("create table concurrently (a int)", None),
            ("drop index concurrently if exists s.i", Some(Concurrent::Drop { index: "s.i" })),
            ("drop index i", None),
            ("reindex index concurrently i", reindex(Rebuilt::Index("i"))),
            ("reindex (verbose, concurrently) table t", reindex(Rebuilt::Table("t"))),
            ("reindex (concurrently false) table t", None),
            ("reindex schema concurrently s", reindex(Rebuilt::Many)),
            ("reindex table t", None),
            ("alter table only t detach partition p concurrently", Some(Concurrent::Detach)),
            ("alter table t detach partition p", None),
            ("refresh materialized view concurrently v", None),
            ("comment on table t is 'create index concurrently i on t'", None),
        ] {
            assert_eq!(concurrent(statement), expected, "{statement}");
        }
    }

    #[test]
    fn statements_that_cannot_run_in_a_transaction_are_known() {
        for (statement, expected) in [
            ("vacuum analyze t", true),
            ("create index concurrently i on t (a)", true),
            ("call p()", true),
            ("do $$ begin commit; end $$", true),
            ("do $$ begin perform 1; end $$", false),
            ("alter system set a = 1", true),
            ("create database d", true),
            ("cluster", true),
            ("cluster t using i", false),
            ("create table t ()", false),
            ("alter table t add column vacuum int", false),
        ] {
            assert_eq!(needs_own_transaction(statement), expected, "{statement}");
        }
        assert!(may_commit("DO LANGUAGE plpgsql $$ BEGIN COMMIT; END $$"));
        assert!(!may_commit("vacuum"));
    }

    #[test]
    fn settings_of_the_session_are_told() {
        for (statement, expected) in [
            ("set search_path = a", true),
            ("SET SESSION AUTHORIZATION a", true),
            ("reset role", true),
            ("select pg_catalog.set_config('search_path', '', false)", true),
            ("set local search_path = a", false),
            ("set constraints all deferred", false),
            ("select 1", false),
        ] {
            assert_eq!(is_session_setting(statement), expected, "{statement}");
        }
    }
}
