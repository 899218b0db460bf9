//! The lines below an error message: details and the next command.

use tokio_postgres::error::SqlState;

use crate::error::{Divergence, Error, LostDuring};
use crate::model::Direction;

impl Error {
    /// Lines that belong below the message: every problem, the place in the file, the state that is
    /// left.
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::MigrationFiles { problems, .. } => problems.clone(),
            Self::Diverged { problems } => {
                let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                lines.push("nothing was run".to_owned());
                lines
            }
            Self::Unreachable { attempts, waited, .. } if *attempts > 1 => {
                vec![format!("tried {attempts} times in {:.1} s", waited.as_secs_f64())]
            }
            Self::Locked { waited, .. } => {
                vec![format!("waited {:.1} s; nothing was run", waited.as_secs_f64())]
            }
            Self::ConnectionLost { during, name, .. } => vec![match during {
                LostDuring::Commit => format!(
                    "the commit was on its way: {name} is either applied entirely or not at all"
                ),
                LostDuring::Transaction => format!(
                    "PostgreSQL rolls an unfinished transaction back: {name} is not applied"
                ),
                LostDuring::Statements => half_done(name),
            }],
            Self::LockLost { incomplete } => incomplete.iter().map(half_done).collect(),
            Self::UnfitRole { .. }
            | Self::MissingTables { .. }
            | Self::HistoryExists { .. }
            | Self::Alembic { .. }
            | Self::Rehearsal { .. } => {
                vec!["nothing was changed".to_owned()]
            }
            Self::SchemaDiffers { missing, .. } => {
                let mut lines: Vec<String> =
                    missing.iter().map(|part| format!("no {part}")).collect();
                lines.push("nothing was changed".to_owned());
                lines
            }
            Self::Grant { .. } | Self::GrantIncomplete { .. } => {
                vec!["everything was rolled back; nothing was changed".to_owned()]
            }
            Self::FailedScript(failed) => failed.details(),
            Self::LiveSchema(error) => error.details(),
            Self::Shadow(error) => error.details(),
            Self::Incomplete(incomplete) => incomplete.details(),
            Self::MissingDatabaseUrl
            | Self::DatabaseUrl(_)
            | Self::PooledUrl(_)
            | Self::DotEnv { .. }
            | Self::CertificateAuthority { .. }
            | Self::ReadMigrations { .. }
            | Self::InvalidMigrationName { .. }
            | Self::WriteMigration { .. }
            | Self::UnknownTarget { .. }
            | Self::EmptyRange { .. }
            | Self::TargetNotApplied { .. }
            | Self::NoUndoScript { .. }
            | Self::ConfirmationNeeded
            | Self::AdoptionUnconfirmed
            | Self::Unreachable { .. }
            | Self::UnknownHost { .. }
            | Self::Refused { .. }
            | Self::Tls { .. }
            | Self::NoTls { .. }
            | Self::Query { .. }
            | Self::Catalog(_)
            | Self::Dump(_)
            | Self::NoSuchRole { .. }
            | Self::History { .. } => Vec::new(),
        }
    }

    /// The next thing to do, where there is one.
    #[expect(clippy::too_many_lines, reason = "a table: one hint for each error")]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::MissingDatabaseUrl => {
                "set `DATABASE_URL`, in the environment or in a `.env` file, or pass `--database-url`"
            }
            Self::DatabaseUrl(_) | Self::PooledUrl(_) => {
                "copy the string from Neon's console as it is; it looks like `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=require`"
            }
            Self::DotEnv { .. } => {
                "every line is `NAME=VALUE`; put a value with `$`, `#`, spaces or quotes in single quotes"
            }
            Self::CertificateAuthority { .. } => {
                "`--database-ca` (`DATABASE_CA`) names a PEM file with the authority's certificate"
            }
            Self::ReadMigrations { .. } => {
                "`--dir` names a folder of migrations; without it, those built into this program are used"
            }
            Self::MigrationFiles { .. } => {
                "rename or remove the files; `migrator new NAME` makes a pair with the right names"
            }
            Self::InvalidMigrationName { .. } => {
                "use letters and digits, such as `migrator new add_due_date`"
            }
            Self::WriteMigration { .. } => {
                "nothing is overwritten; choose another name, or another folder with `--dir`"
            }
            Self::UnknownTarget { .. } | Self::TargetNotApplied { .. } => {
                "`migrator status` lists the versions"
            }
            Self::EmptyRange { direction: Direction::Apply, .. } => {
                "`--to` is after `--from`; to undo, add `--down`"
            }
            Self::EmptyRange { direction: Direction::Undo, .. } => {
                "with `--down`, `--to` is before `--from`"
            }
            Self::NoUndoScript { .. } => {
                "write `V{version}__{name}.down.sql` beside the migration, or undo it with a new migration"
            }
            Self::ConfirmationNeeded => {
                "add `--yes` to undo without being asked; nothing was changed"
            }
            Self::AdoptionUnconfirmed => {
                "add `--yes` to adopt without being asked, `--dry-run` to see what would be; nothing was changed"
            }
            Self::HistoryExists { .. } => {
                "adopting is for a schema without a history; `migrator up` applies what is pending"
            }
            Self::SchemaDiffers { .. } => {
                "adopt the version whose tables, columns, indexes and triggers are all there; `migrator up` applies the rest"
            }
            Self::Alembic { .. } => {
                "`migrator baseline VERSION` adopts a schema without asking Alembic's table"
            }
            Self::Rehearsal { .. } => {
                "each script is tried out in an empty schema and rolled back; that needs names without a schema in front"
            }
            Self::Unreachable { .. } => {
                "is it running, and are host and port right? `--connect-timeout` sets for how long to try"
            }
            Self::UnknownHost { .. } => "check the host name in the database URL",
            Self::Refused { sqlstate, .. } => match sqlstate.as_deref() {
                Some("28P01" | "28000") => {
                    "check the user name and the password in the database URL; in a `.env` file, put the URL in single quotes, or a `$` in it is replaced"
                }
                Some("3D000") => "check the database's name in the database URL, or create it",
                _ => "the message is the server's; the server's log may say more",
            },
            Self::Tls { .. } => {
                "for a private certificate authority, pass its certificate with `--database-ca FILE` (`DATABASE_CA`)"
            }
            Self::NoTls { .. } => {
                "leave `sslmode` out for a server on this machine; every other server needs TLS"
            }
            Self::LockLost { .. } => {
                "use a connection string that leads to PostgreSQL itself; what was applied before stays applied"
            }
            Self::Locked { .. } => "wait for it to finish; `--wait` sets for how long to wait",
            Self::Query { source, .. } => match source.code().map(SqlState::code) {
                Some("42501") => {
                    "the role needs the right to read and create tables in this schema"
                }
                Some("3F000") => "create the schema that the search path names",
                Some("25006") => {
                    "this is a read-only replica or role; use the connection string of the primary"
                }
                _ => return None,
            },
            Self::ConnectionLost { .. } => {
                "`migrator status` shows what is applied; then run the command again"
            }
            Self::History { .. } => {
                "the table is refinery's: version, name, applied_on (RFC 3339) and checksum of each migration"
            }
            Self::Diverged { problems } => match problems.first() {
                Some(Divergence::Edited(_)) => {
                    "an applied migration never changes: restore the file and write a new migration"
                }
                Some(Divergence::Missing(_)) => {
                    "is this the right folder or version of the program? Restore the file"
                }
                Some(Divergence::OutOfOrder { .. }) | None => {
                    "give it a version after the newest applied one"
                }
            },
            Self::NoSuchRole { role } => {
                return Some(format!(
                    "create it first: create role {} login password '…'",
                    quote_identifier(role)
                ));
            }
            Self::UnfitRole { .. } => {
                "give the API a role of its own: create role taskie_api login password '…'"
            }
            Self::MissingTables { .. } => "apply the migrations first: `migrator up`",
            Self::Grant { source, .. } => match source.code().map(SqlState::code) {
                Some("42501") => {
                    "connect as the owner of the database and its tables, who may also alter the role: one that created it. On Neon, create the role with SQL: those made in the console are members of neon_superuser, which only Neon can revoke"
                }
                Some("2BP01") => {
                    "the role has passed on what it was granted: revoke that first, with `cascade`"
                }
                _ => return None,
            },
            Self::GrantIncomplete { .. } => {
                "connect as the owner of these tables, or have the owner grant it with grant option"
            }
            Self::FailedScript(failed) => return failed.hint.clone(),
            Self::Catalog(error) => return error.hint(),
            Self::LiveSchema(error) => return Some(error.hint()),
            Self::Dump(error) => return Some(error.hint()),
            Self::Shadow(error) => return error.hint(),
            Self::Incomplete(incomplete) => return Some(incomplete.hint()),
        };
        Some(hint.to_owned())
    }
}

/// A name as SQL has it.
fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn half_done(name: &crate::model::MigrationName) -> String {
    format!(
        "{name} runs without a transaction: it is incomplete until `migrator repair` has looked at it"
    )
}
