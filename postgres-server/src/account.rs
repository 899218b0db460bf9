//! The account that PostgreSQL runs as: that of this process, unless it is root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use crate::error::{Error, ErrorKind};

/// The owner of the cluster, as whom `initdb` and `postgres` run.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The account to change to; `None` for that of this process.
    other: Option<User>,
}

impl Account {
    /// This process's account, or an unprivileged one where that is root.
    pub(crate) fn unprivileged() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let known = |name| User::from_name(name).ok().flatten();
        let other = known("postgres").or_else(|| known("nobody"));
        other.map(|user| Self { other: Some(user) }).ok_or_else(|| {
            let message =
                "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`";
            Error::new(ErrorKind::Postgres, message)
                .with_hint("run as another user than root, or add one: `useradd --system postgres`")
        })
    }

    /// Returns true if it is another account than that of this process.
    #[cfg(feature = "download")]
    pub(crate) fn is_other(&self) -> bool {
        self.other.is_some()
    }

    /// Its description for messages: "the account `postgres`".
    pub(crate) fn description(&self) -> String {
        match &self.other {
            Some(user) => format!("the account `{}`", user.name),
            None => "the account of this process".to_owned(),
        }
    }

    /// A command that runs as this account, in its own process group: signals from the terminal
    /// (Ctrl-C) do not reach it.
    ///
    /// Its environment has no `PG…` variable, so that settings for `psql` do not affect the server, and
    /// the C locale, so that messages are in English.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").process_group(0);
        if let Some(user) = &self.other {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Changes the owner of `path` to this account.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        match &self.other {
            Some(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
            None => Ok(()),
        }
    }

    /// Returns true if `path` belongs to this account or to root: no other account can have created a
    /// cluster there.
    pub(crate) fn may_trust(&self, path: &Path) -> bool {
        let owner = fs::metadata(path).map(|metadata| metadata.uid());
        match (&self.other, owner) {
            (Some(user), Ok(owner)) => owner == 0 || owner == user.uid.as_raw(),
            (None, Ok(owner)) => owner == geteuid().as_raw(),
            (_, Err(_)) => false,
        }
    }

    /// Returns true if this account can write to `folder`. A process of that account tries it, because
    /// modes do not show access lists and read-only mounts.
    pub(crate) fn reaches(&self, folder: &Path) -> bool {
        self.command(Path::new("/bin/sh"))
            .args(["-c", r#"test -x "$1" && test -w "$1""#, "sh"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
