//! Just enough of PostgreSQL's lexer to split a script into statements: strings, comments, dollar quotes,
//! and the bodies of SQL functions (`begin atomic … end`), which contain semicolons. Most of the words
//! that matter here are names elsewhere: `begin` of a parameter or a column, `stdin` of a table.
//!
//! It serves three purposes: refusing scripts that would end the transaction which they run in,
//! naming the place of a statement whose error has no position, and sending the statements of a
//! script without a transaction one by one. If it is wrong about the first, the check after the script
//! that the transaction is still the same finds it.

mod classify;
mod comments;
mod lexer;
mod literal;
#[cfg(test)]
mod properties;
pub(crate) mod reach;
mod splitter;

pub(crate) use classify::{
    Concurrent, Rebuilt, concurrent, is_session_setting, may_commit, needs_own_transaction,
};
pub(crate) use comments::comments;
use lexer::{Token, next_token};
pub(crate) use literal::literal;
pub(crate) use splitter::statements;

/// One statement of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The byte offset of its first token.
    pub(crate) start: usize,
    /// The byte offset after its last token, before the semicolon.
    pub(crate) end: usize,
    /// Its first few words, in upper case; quoted identifiers do not count.
    words: Vec<String>,
    /// What it would do where it is a `copy`.
    standard_stream: Option<Unsupported>,
    /// The byte offset of the first backslash outside of quotes: there a command of psql begins.
    meta_command: Option<usize>,
}

/// Reason why a script cannot run inside the migrator's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsupported {
    TransactionControl,
    StandardInput,
    StandardOutput,
    /// It would release the migration lock.
    ResetsSession,
    /// A command of psql at this byte offset.
    MetaCommand {
        at: usize,
    },
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

    /// Its text, without the semicolon.
    pub(crate) fn text<'a>(&self, script: &'a str) -> &'a str {
        &script[self.start..self.end]
    }

    /// The scope, if it is a `set` of this setting (in upper case).
    pub(crate) fn sets(&self, setting: &str) -> Option<Scope> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words[..] {
            ["SET", "LOCAL", name, ..] if name == setting => Some(Scope::Transaction),
            ["SET", "SESSION", name, ..] | ["SET", name, ..] if name == setting => {
                Some(Scope::Session)
            }
            _ => None,
        }
    }

    pub(crate) fn unsupported(&self) -> Option<Unsupported> {
        if let Some(at) = self.meta_command {
            return Some(Unsupported::MetaCommand { at });
        }
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words[..] {
            // Going back to a savepoint stays within the transaction, and `prepare transaction as …`
            // prepares a statement of that name.
            ["ROLLBACK", "TO", ..]
            | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..]
            | ["PREPARE", "TRANSACTION", _, ..] => None,
            ["BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "ABORT", ..]
            | ["START" | "PREPARE", "TRANSACTION", ..] => Some(Unsupported::TransactionControl),
            ["DISCARD", "ALL"] => Some(Unsupported::ResetsSession),
            ["COPY", ..] => self.standard_stream,
            _ => None,
        }
    }
}

/// For how long a `set` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Session,
    Transaction,
}

/// True if the last statement ends with a semicolon, or if there is no statement.
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

#[cfg(test)]
mod tests {
    use super::{Scope, Unsupported, is_terminated, statements};

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
            ("set lock_timeout = '1s'", Some(Scope::Session)),
            ("select 1; SET LOCAL lock_timeout TO 0;", Some(Scope::Transaction)),
            ("set session lock_timeout = 0", Some(Scope::Session)),
            ("set statement_timeout = '1s'", None),
            ("-- set lock_timeout = 0", None),
        ] {
            let found = statements(script);
            let found = found.iter().find_map(|statement| statement.sets("LOCK_TIMEOUT"));
            assert_eq!(found, expected, "{script}");
        }
    }

    #[test]
    fn a_statement_is_sent_without_its_semicolon_and_what_is_around_it() {
        let script = "-- x\n a 'é;' -- y\n ; /* z */ b $$ ; $$ ;; c -- the end";
        let found = statements(script);
        let texts: Vec<&str> = found.iter().map(|statement| statement.text(script)).collect();
        assert_eq!(texts, ["a 'é;'", "b $$ ; $$", "c"]);
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
            ("escape string with a doubled quote", "a e'x''\\';' ; b", &["a", "b"]),
            ("escape string over two lines", "a e'x'\n 'y\\';' ; b", &["a", "b"]),
            ("two strings in a line", "a e'x' '\\' ; b ';'", &["a", "b"]),
            ("comment that a carriage return ends", "a -- ;\r ; b", &["a", "b"]),
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
            (
                "nested case in an SQL function body",
                "create function f() returns int begin atomic select case when a then case b when 1 then 2 end end as \"end\", c.end, 1 as end, (select 1 end) ; ; end ; b",
                &["create", "b"],
            ),
            (
                "a label in an SQL function body",
                "create procedure p() begin atomic select 1 case ; insert into t (begin) values (1) ; END ; b",
                &["create", "b"],
            ),
            (
                "empty SQL function body",
                "create function f() returns int begin atomic end ; b",
                &["create", "b"],
            ),
            (
                "parameter named begin",
                "create function f(begin int) returns int return 1 ; b",
                &["create", "b"],
            ),
            (
                "column named begin of a result",
                "create or replace function f() returns table (begin date, \"end\" date) language sql as '' ; b",
                &["create", "b"],
            ),
            (
                "parameter named begin and a body",
                "create function f(begin int, atomic int) returns int language sql begin atomic select begin ; select atomic ; end ; b",
                &["create", "b"],
            ),
            (
                "function named begin",
                "create function begin() returns int return 1 ; b",
                &["create", "b"],
            ),
            (
                "type named begin",
                "create function f() returns begin language sql as '' ; b",
                &["create", "b"],
            ),
            (
                "setting of a function",
                "create function f() returns int set search_path = begin return 1 ; b",
                &["create", "b"],
            ),
            (
                "columns named begin and atomic",
                "create table t (begin date, atomic int) ; select begin atomic from t ; b",
                &["create", "select", "b"],
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
            ("begin", Some(Unsupported::TransactionControl)),
            ("BEGIN WORK", Some(Unsupported::TransactionControl)),
            ("/* x */ Commit", Some(Unsupported::TransactionControl)),
            ("end", Some(Unsupported::TransactionControl)),
            ("rollback", Some(Unsupported::TransactionControl)),
            ("rollback work", Some(Unsupported::TransactionControl)),
            ("rollback prepared 'x'", Some(Unsupported::TransactionControl)),
            ("abort", Some(Unsupported::TransactionControl)),
            ("start transaction", Some(Unsupported::TransactionControl)),
            ("prepare transaction 'x'", Some(Unsupported::TransactionControl)),
            ("copy t from stdin", Some(Unsupported::StandardInput)),
            ("copy t (a) from stdout with (format csv)", Some(Unsupported::StandardInput)),
            ("copy t from '/tmp/x'", None),
            ("copy t to stdout", Some(Unsupported::StandardOutput)),
            ("copy (select a from stdin) to stdin", Some(Unsupported::StandardOutput)),
            ("copy stdin from '/tmp/x'", None),
            ("copy t (stdin) from '/tmp/x'", None),
            ("copy (select a from stdin) to '/tmp/x'", None),
            (r"\restrict x", Some(Unsupported::MetaCommand { at: 0 })),
            (r"select 1 \gexec", Some(Unsupported::MetaCommand { at: 9 })),
            (r"select '\i x', e'\\', $$\i$$ -- \i", None),
            ("select begin, commit from t", None),
            ("alter table t rename begin to commit", None),
            ("prepare transaction as select 1", None),
            ("discard all", Some(Unsupported::ResetsSession)),
            ("discard temp", None),
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
                statements(script).iter().map(super::Statement::unsupported).collect();
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
