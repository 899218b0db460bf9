//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why there is no PostgreSQL server. [`Error::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither installed nor downloadable.
    #[error(
        "failed to find PostgreSQL: no `initdb` and `postgres` in PATH or the usual folders, and the download failed: {download}{}",
        std::iter::once("").chain(unusable.iter().map(String::as_str)).collect::<Vec<_>>().join("\n  ")
    )]
    NoBinaries {
        /// Why the download failed.
        download: String,
        /// Installations that were found and cannot be used, with the reason.
        unusable: Vec<String>,
    },
    /// The folder that was asked for, by option or `TASKIE_PG_BIN`, does not serve.
    #[error("failed to use the PostgreSQL programs in `{}`: {reason}", folder.display())]
    UnusableBinaries {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Running as root, and there is neither `postgres` nor `nobody` to run the server as.
    #[error(
        "failed to start PostgreSQL as root, which it refuses: no account `postgres` or `nobody`"
    )]
    NoAccount,
    /// The server's account cannot reach any folder in which the cluster could live.
    #[error("failed to place the cluster where the account `{account}` can write, last tried: {}", folder.display())]
    Unreachable {
        /// The account that the server runs as.
        account: String,
        /// The last folder tried.
        folder: PathBuf,
    },
    /// Another process serves this cluster.
    #[error("failed to start PostgreSQL in `{}`: it is already running{}", folder.display(), pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// The cluster's folder.
        folder: PathBuf,
        /// The server's process id, where it is known.
        pid: Option<i32>,
    },
    /// The cluster was made by another major version.
    #[error("failed to start PostgreSQL {found} in `{}`: the data there was made by PostgreSQL {made}", folder.display())]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// The major version of the data.
        made: u32,
        /// The major version of the programs.
        found: u32,
    },
    /// The kept cluster's password is not there any more, or not the right one.
    #[error("failed to log in to the cluster in `{}`: {reason}", folder.display())]
    Password {
        /// The cluster's folder.
        folder: PathBuf,
        /// What is wrong with the password.
        reason: &'static str,
    },
    /// A program ended where it should not have, or the server did not answer in time.
    #[error("failed to {what}: {reason}{}", if log.is_empty() { String::new() } else { format!("\n{log}") })]
    Program {
        /// What was being done.
        what: &'static str,
        /// How it ended.
        reason: String,
        /// The last lines of its output.
        log: String,
    },
    /// The file system refused.
    #[error("failed to {what} `{}`: {source}", path.display())]
    File {
        /// What was being done.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// What to do next, as one sentence or two.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoBinaries { .. } => {
                "install it (`apt install postgresql`, `dnf install postgresql-server`, `brew install postgresql`), \
                 or name a folder with `initdb` and `postgres` in TASKIE_PG_BIN, or a server in DATABASE_URL"
                    .to_owned()
            }
            Self::UnusableBinaries { .. } => {
                "TASKIE_PG_BIN must name a folder with `initdb` and `postgres`, version 14 or newer, \
                 that the account of the server can reach; unset it to use what is installed"
                    .to_owned()
            }
            Self::NoAccount => "run as another user than root, or add one: `useradd --system postgres`".to_owned(),
            Self::Unreachable { .. } => "set TMPDIR to a folder that every account can reach".to_owned(),
            Self::AlreadyRunning { pid: Some(pid), .. } => {
                format!("use the one that runs, or stop it: `kill -INT {pid}`")
            }
            Self::AlreadyRunning { pid: None, .. } => {
                "use the one that runs, or stop the command that started it".to_owned()
            }
            Self::OtherVersion { folder, made, .. } => format!(
                "install PostgreSQL {made} or name its folder in TASKIE_PG_BIN; \
                 if the data can go, move `{}` away and a new cluster is made",
                folder.display()
            ),
            Self::Password { folder, .. } => format!(
                "put back the file `password` of `{0}`; if the data can go, move `{0}` away and a new cluster is made",
                folder.display()
            ),
            Self::Program { .. } | Self::File { .. } => return None,
        };
        Some(hint)
    }

    /// For `map_err` on file operations.
    pub(super) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
