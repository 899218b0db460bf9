//! The account that PostgreSQL runs as: this process's own, unless that is root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{User, geteuid};

use super::Error;

/// Who owns the cluster and runs `initdb` and `postgres`.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// The account to change to; `None`: stay who we are.
    other: Option<User>,
}

impl Account {
    /// This process's account, or an unprivileged one where that is root.
    pub(super) fn unprivileged() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let known = |name| User::from_name(name).ok().flatten();
        let other = known("postgres").or_else(|| known("nobody"));
        other.map(|user| Self { other: Some(user) }).ok_or(Error::NoAccount)
    }

    /// Whether programs run as somebody else than this process.
    pub(super) fn is_other(&self) -> bool {
        self.other.is_some()
    }

    /// The name for messages.
    pub(super) fn name(&self) -> &str {
        self.other.as_ref().map_or("this account", |user| user.name.as_str())
    }

    /// A command which runs as this account, in a process group of its own: what the terminal sends
    /// to the foreground group (Ctrl-C) does not reach it.
    ///
    /// The environment loses every `PG…` variable and gets the C locale, so that messages are in
    /// English and nothing from the caller's `psql` set-up changes what the server does.
    pub(super) fn command(&self, program: &Path) -> Command {
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

    /// Hands `path` to this account.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        match &self.other {
            Some(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
            None => Ok(()),
        }
    }

    /// Whether `path` belongs to this account or to root. Nobody else can then have put a cluster
    /// there for us to start.
    pub(super) fn may_trust(&self, path: &Path) -> bool {
        let owner = fs::metadata(path).map(|metadata| metadata.uid());
        match (&self.other, owner) {
            (Some(user), Ok(owner)) => owner == 0 || owner == user.uid.as_raw(),
            (None, Ok(owner)) => owner == geteuid().as_raw(),
            (_, Err(_)) => false,
        }
    }

    /// Whether this account can get to `folder` and write there. Asked of the system, by a process of
    /// that account, because modes alone do not tell (access lists, read-only mounts).
    pub(super) fn reaches(&self, folder: &Path) -> bool {
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
