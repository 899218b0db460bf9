//! The reasons for which a script fails.

use tokio_postgres::error::DbError;

use super::diagnostic::diagnostics;
use super::kind;

diagnostics! {
    /// The reason for which a script failed.
    pub enum ScriptError {
        /// PostgreSQL refused a statement.
        #[error("{message} ({sqlstate})")]
        #[diagnostic(kind::FAILED_SCRIPT, details = details.clone(), hint = hint.clone())]
        Refused {
            message: String,
            sqlstate: String,
            /// PostgreSQL's detail and context.
            details: Vec<String>,
            /// PostgreSQL's hint.
            hint: Option<String>,
        },
        /// `if not exists` was content with an invalid index, or with something else of its name.
        #[error("the index was not built: one of that name is there and invalid, or on another table")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "drop what is there, with `drop index concurrently`, or choose another name",
        )]
        IndexNotBuilt,
        /// The script ended its transaction, so that it is unknown what is stored.
        #[error("the script ended the transaction that it ran in")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            details = "what it did up to there may be stored; the history was not changed",
            hint = "take the transaction control out of the file, and look at what the script left behind",
        )]
        TransactionEnded,
        /// The script changed what the databases of the server share, in a shadow database.
        #[error("the script changed something outside its database, and was rolled back")]
        #[diagnostic(
            kind::BEYOND_DATABASE,
            details = "roles, their memberships and settings, databases, tablespaces and the like belong to the whole server; look for dynamic statements and for extensions that change them",
            hint = super::shadow::ELSEWHERE,
        )]
        BeyondDatabase,
        /// The script would end its transaction.
        #[error("`{statement}` would end the transaction that makes the migration atomic")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "remove it: each file runs in a transaction of its own, begun and committed for it",
        )]
        EndsTransaction { statement: String },
        /// The script has no transaction to control.
        #[error("`{statement}` in a script without a transaction")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "remove it: each statement is committed by itself; what belongs in one transaction goes into a file of its own",
        )]
        NoTransaction { statement: String },
        /// `copy` would wait for input.
        #[error("`COPY … FROM STDIN` has no input here")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "write the rows as `insert` statements, as `pg_dump --rows-per-insert=1000` does",
        )]
        StandardInput,
        /// `copy` would write output.
        #[error("`COPY … TO STDOUT` has nowhere to write here")]
        #[diagnostic(kind::FAILED_SCRIPT, hint = "remove it: a migration prints nothing")]
        StandardOutput,
        /// `discard all`.
        #[error("`DISCARD ALL` would release the lock that keeps other migrators out")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "remove it: each migration begins with the session's own settings; `discard temp`, `discard plans` and `reset all` do parts of it",
        )]
        ResetsSession,
        /// A command of psql.
        #[error("`{command}` is a command of psql, not SQL: only psql executes it")]
        #[diagnostic(kind::FAILED_SCRIPT, hint = without_meta_command(command))]
        MetaCommand { command: String },
        /// `create index concurrently` without a name.
        #[error("an index that is built concurrently needs a name")]
        #[diagnostic(
            kind::FAILED_SCRIPT,
            hint = "give it one, so that what a broken build leaves behind can be found and dropped",
        )]
        UnnamedIndex,
    }
}

impl ScriptError {
    /// For a text that begins with a command of psql.
    pub(crate) fn meta_command(text: &str) -> Self {
        let ends = |c: char| c.is_whitespace() || c == ';';
        let command = text.split(ends).next().unwrap_or(text);
        Self::MetaCommand { command: command.to_owned() }
    }
}

/// What to write instead of a command of psql.
fn without_meta_command(command: &str) -> &'static str {
    match command {
        r"\restrict" | r"\unrestrict" => {
            r"newer versions of `pg_dump` write `\restrict` and `\unrestrict`, for psql: delete both lines, or write the dump with `pg_dump … | sed -E '/^\\(un)?restrict /d'`"
        }
        r"\c" | r"\connect" => {
            "remove it: a migration runs in the one database of the connection string; a dump without it is `pg_dump` without `--create`"
        }
        r"\i" | r"\include" | r"\ir" | r"\include_relative" => {
            "put the content of that file in its place, or into a migration of its own"
        }
        r"\copy" | r"\." => {
            "write the rows as `insert` statements, as `pg_dump --rows-per-insert=1000` does"
        }
        r"\gexec" => "build and execute the statements in a `do` block, with `execute`",
        _ => "remove it, or write what it does in SQL",
    }
}

impl From<&DbError> for ScriptError {
    fn from(error: &DbError) -> Self {
        let said = [("detail", error.detail()), ("context", error.where_())];
        let said = said.into_iter().filter_map(|(label, text)| Some(format!("{label}: {}", text?)));
        Self::Refused {
            message: error.message().to_owned(),
            sqlstate: error.code().code().to_owned(),
            details: said.collect(),
            hint: error.hint().map(str::to_owned),
        }
    }
}
