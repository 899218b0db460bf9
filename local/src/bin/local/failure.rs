//! Why a command did not do what it was asked: message, hint and exit code.

use std::io;

use local::Error;
use migrator::MigrationName;

/// Everything that can go wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cannot read `.env`: {0}")]
    DotEnv(String),
    #[error("cannot use the database URL: {0}")]
    DatabaseUrl(#[from] neon_url::ParseError),
    #[error("the database URL names a Unix socket, which a component cannot reach")]
    UnixSocket,
    #[error("the database lacks {}: {}", count(.0), list(.0))]
    Pending(Vec<MigrationName>),
    #[error(transparent)]
    App(#[from] Error),
    #[error(transparent)]
    Postgres(#[from] local::postgres::Error),
    #[error(transparent)]
    Migration(#[from] migrator::Error),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Further lines below the message.
    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Failure::Migration(error) => error.details(),
            _ => Vec::new(),
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Failure::DotEnv(_) => {
                Some("each line is `NAME=value`; quote a value with spaces or `#`".to_owned())
            }
            Failure::DatabaseUrl(_) => {
                Some("expected `postgresql://user:password@host:port/database`".to_owned())
            }
            Failure::UnixSocket => Some("name a host instead, such as `127.0.0.1`".to_owned()),
            Failure::Pending(_) => Some(
                "run `cargo up --migrate` to apply what is missing, or `migrator up` first"
                    .to_owned(),
            ),
            Failure::App(error) => error.hint(),
            Failure::Postgres(error) => error.hint(),
            // The migrator's hints name options of its own where this program has others.
            Failure::Migration(migrator::Error::Unreachable { .. }) => {
                Some("is it running, and are host and port right?".to_owned())
            }
            Failure::Migration(
                migrator::Error::Tls { .. } | migrator::Error::CertificateAuthority { .. },
            ) => Some(
                "a private certificate authority's PEM certificate goes into `SPIN_VARIABLE_DATABASE_CA`"
                    .to_owned(),
            ),
            Failure::Migration(error) => error.hint(),
            Failure::Runtime(_) | Failure::Interrupted => None,
        }
    }

    /// 1: migrations are pending and were not asked for. 2: wrong usage or configuration. 3: building failed.
    /// 4: no PostgreSQL. 5: the database cannot be migrated. 6: cannot listen. 130: interrupted before serving.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Pending(_) => 1,
            Failure::DotEnv(_) | Failure::DatabaseUrl(_) | Failure::UnixSocket => 2,
            Failure::Postgres(_) => 4,
            Failure::Migration(_) => 5,
            Failure::Runtime(_) => 6,
            Failure::Interrupted => 130,
            Failure::App(error) => match error {
                Error::Read { .. }
                | Error::Write { .. }
                | Error::Config { .. }
                | Error::MissingVariables(_)
                | Error::UnknownVariables(_)
                | Error::AllowedHosts { .. } => 2,
                Error::ComponentMissing { .. }
                | Error::ComponentUnusable { .. }
                | Error::Engine(_)
                | Error::Tool { .. }
                | Error::ToolMissing { .. }
                | Error::TargetMissing { .. }
                | Error::Build { .. } => 3,
                Error::AddressInUse(_) | Error::Listen { .. } => 6,
            },
        }
    }
}

fn count(names: &[MigrationName]) -> String {
    match names.len() {
        1 => "a migration".to_owned(),
        more => format!("{more} migrations"),
    }
}

fn list(names: &[MigrationName]) -> String {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}
