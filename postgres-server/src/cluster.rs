//! The folder of a cluster: its location, password, lock and `initdb`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::{Error, ErrorKind};
use crate::watchdog::{POLL, Watchdog};

/// Location of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataDir {
    /// In this folder, created on first use, with safe settings and a database `taskie`. If the
    /// server's account cannot write there, a folder in `/var/lib/taskie` is used instead and reported
    /// through `progress`.
    Kept(PathBuf),
    /// In a temporary folder, removed with the server; with settings that trade safety for speed.
    Throwaway,
}

/// The superuser of every cluster here.
pub(crate) const SUPERUSER: &str = "postgres";

/// Time limit for the server of a killed process to end: a bit more than its watchdog's first wait.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(35);

/// Time limit of `initdb`, which usually takes seconds.
const INITDB_LIMIT: Duration = Duration::from_mins(2);

/// Size of the part of a log that an error shows.
const LOG_TAIL_BYTES: u64 = 2_000;

/// A cluster and its files:
///
/// ```text
/// folder/
///   data/         the cluster
///   data.new/     while `initdb` creates it
///   lock          held by the process that uses it; kept clusters only
///   password      of the superuser; belongs to the server's account, mode 0600
///   postgres.log  of the last start
/// ```
pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    pub(crate) password: String,
    pub(crate) kept: bool,
    /// The system releases it when this process ends, however it ends.
    _lock: Option<File>,
}

impl Cluster {
    /// Creates or opens the folder and starts its watchdog.
    pub(crate) async fn open(
        data: &DataDir,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Self, Watchdog), Error> {
        match data {
            DataDir::Kept(folder) => Self::open_kept(folder, account, progress).await,
            DataDir::Throwaway => Self::create_throwaway(account),
        }
    }

    fn create_throwaway(account: &Account) -> Result<(Self, Watchdog), Error> {
        let parents = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
        let name = format!("taskie-pg-{:016x}", rand::random::<u64>());
        for parent in &parents {
            let folder = parent.join(&name);
            // The watchdog first: from here on, a killed process leaves no folder.
            let watchdog =
                Watchdog::start(Some(&folder)).map_err(file_error("start a shell in", &folder))?;
            if create_private(&folder, account).is_ok() && account.reaches(&folder) {
                let password = password_in(&folder, account)?;
                return Ok((Self { folder, password, kept: false, _lock: None }, watchdog));
            }
        }
        Err(unreachable(account, &parents[2]))
    }

    async fn open_kept(
        wanted: &Path,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Self, Watchdog), Error> {
        let wanted = std::path::absolute(wanted).map_err(file_error("find", wanted))?;
        let folder = reachable(&wanted, account)?;
        if folder != wanted {
            progress(&format!(
                "{} cannot write to {}; the cluster is in {}",
                account.description(),
                wanted.display(),
                folder.display()
            ));
        }

        let lock = lock(&folder)?;
        wait_for_predecessor(&folder, progress).await?;
        let password = if folder.join("data").exists() {
            let path = folder.join("password");
            fs::read_to_string(path)
                .map_err(|_| password_error(&folder, "its password file is missing"))?
        } else {
            password_in(&folder, account)?
        };
        let watchdog = Watchdog::start(None).map_err(file_error("start a shell in", &folder))?;
        Ok((Self { folder, password, kept: true, _lock: Some(lock) }, watchdog))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// The major version that created the data; `None` if there is no cluster yet.
    pub(crate) fn created_by(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The last lines of the server's log, for an error.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log())
    }

    /// Runs `initdb`. The folder is renamed at the end: an incomplete cluster is never used.
    pub(crate) async fn create(
        &self,
        binaries: &Binaries,
        account: &Account,
        watchdog: &mut Watchdog,
    ) -> Result<(), Error> {
        let new = self.folder.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new).map_err(file_error("remove", &new))?;
        }
        let log_path = self.folder.join("initdb.log");
        let log = File::create(&log_path).map_err(file_error("write", &log_path))?;
        let log_too = log.try_clone().map_err(file_error("write", &log_path))?;

        let mut command = binaries.command("initdb", account);
        command
            .arg("--pgdata")
            .arg(&new)
            .arg("--pwfile")
            .arg(self.folder.join("password"))
            .args([
                "--username",
                SUPERUSER,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .args(if self.kept { [].as_slice() } else { ["--no-sync"].as_slice() })
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too);
        watchdog.run(&mut command).map_err(file_error("run `initdb` in", &self.folder))?;
        let failed = |reason: String| {
            let message = format!("`initdb` {reason}");
            Error::new(ErrorKind::Postgres, message)
                .with_details(tail(&log_path))
                .with_hint("correct what `initdb` reports, and try again")
        };

        let deadline = Instant::now() + INITDB_LIMIT;
        let status = loop {
            let ended = watchdog.ended().map_err(file_error("run `initdb` in", &self.folder))?;
            match ended {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    return Err(failed(format!("did not end within {} s", INITDB_LIMIT.as_secs())));
                }
                None => tokio::time::sleep(POLL).await,
            }
        };
        if !status.success() {
            return Err(failed(format!("failed: {status}")));
        }
        fs::rename(&new, self.data()).map_err(file_error("rename", &new))?;
        fs::remove_file(&log_path).map_err(file_error("remove", &log_path))
    }
}

/// `wanted`, or if the account cannot write there (a project below `/root`) another folder, always the
/// same one for this project.
fn reachable(wanted: &Path, account: &Account) -> Result<PathBuf, Error> {
    if let Some(parent) = wanted.parent() {
        fs::create_dir_all(parent).map_err(file_error("create", parent))?;
    }
    let project =
        fs::canonicalize(wanted.parent().unwrap_or(wanted)).unwrap_or_else(|_| wanted.to_owned());
    let hash = Sha256::digest(
        project.join(wanted.file_name().unwrap_or_default()).as_os_str().as_encoded_bytes(),
    );
    let (head, _) = hash.split_first_chunk().expect("a hash has more than 8 bytes");
    let name = format!("{:016x}", u64::from_be_bytes(*head));

    create_or_trust(wanted, account)?;
    if account.reaches(wanted) {
        return Ok(wanted.to_owned());
    }
    let mut last = wanted.to_owned();
    for parent in [PathBuf::from("/var/lib/taskie"), std::env::temp_dir().join("taskie")] {
        last = parent.join(&name);
        if fs::create_dir_all(&parent).is_ok()
            && create_or_trust(&last, account).is_ok()
            && account.reaches(&last)
        {
            return Ok(last);
        }
    }
    Err(unreachable(account, &last))
}

fn unreachable(account: &Account, folder: &Path) -> Error {
    let account = account.description();
    let message = format!(
        "{account} cannot write to any folder for the cluster, such as `{}`",
        folder.display()
    );
    Error::new(ErrorKind::Postgres, message)
        .with_hint("set TMPDIR to a folder that every account can reach")
}

/// The password file does not fit the cluster.
pub(crate) fn password_error(folder: &Path, reason: &str) -> Error {
    let folder = folder.display();
    let message = format!("cannot log in to the cluster in `{folder}`: {reason}");
    Error::new(ErrorKind::Postgres, message).with_hint(format!(
        "restore the file `{folder}/password`, or move the folder away to start with an empty cluster"
    ))
}

fn in_use(folder: &Path, pid: Option<i32>) -> Error {
    let process = pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
    let message = format!("PostgreSQL is already running in `{}`{process}", folder.display());
    Error::new(ErrorKind::ClusterInUse, message).with_hint(match pid {
        Some(pid) => format!("use that one, or stop it: `kill -INT {pid}`"),
        None => "use that one, or stop the command that started it".to_owned(),
    })
}

/// For `map_err` on file operations.
pub(crate) fn file_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> Error {
    Error::file(action, path)
}

/// Creates the folder, or checks that no other account can have written to it.
fn create_or_trust(folder: &Path, account: &Account) -> Result<(), Error> {
    if !folder.exists() {
        return create_private(folder, account);
    }
    if account.may_trust(folder) {
        account.give(folder).map_err(file_error("change the owner of", folder))
    } else {
        let error = std::io::Error::other("it belongs to another account");
        Err(file_error("use", folder)(error))
    }
}

fn create_private(folder: &Path, account: &Account) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(folder).map_err(file_error("create", folder))?;
    account.give(folder).map_err(file_error("change the owner of", folder))
}

/// The password in the folder's file `password`, which is created unless an interrupted run did.
fn password_in(folder: &Path, account: &Account) -> Result<String, Error> {
    let path = folder.join("password");
    if let Ok(password) = fs::read_to_string(&path)
        && password.len() == 32
    {
        return Ok(password);
    }
    let password = format!("{:032x}", rand::random::<u128>());
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(password.as_bytes())
        })
        .and_then(|()| account.give(&path))
        .map_err(file_error("write", &path))?;
    Ok(password)
}

/// Locks the cluster for this process. `postmaster.pid` is not enough: two processes can find no
/// server at the same time.
fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(file_error("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use(folder, postmaster(folder))),
        Err(TryLockError::Error(err)) => Err(file_error("lock", &path)(err)),
    }
}

/// This process has the lock, so a server that still runs was started by a process that was killed,
/// and is being stopped by its watchdog; or it was started by other means.
async fn wait_for_predecessor(
    folder: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    if let Some(pid) = postmaster(folder) {
        progress(&format!(
            "waiting for the PostgreSQL server of an earlier run to stop (process {pid})"
        ));
    }
    let deadline = Instant::now() + PREDECESSOR_LIMIT;
    while let Some(pid) = postmaster(folder) {
        if Instant::now() > deadline {
            return Err(in_use(folder, Some(pid)));
        }
        tokio::time::sleep(POLL).await;
    }
    // Left by a crash. The server would not start if another process had that id by now.
    let stale = folder.join("data/postmaster.pid");
    if stale.exists() {
        fs::remove_file(&stale).map_err(file_error("remove", &stale))?;
    }
    Ok(())
}

/// The process id of a running server of this cluster.
fn postmaster(folder: &Path) -> Option<i32> {
    let data = folder.join("data");
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = file.lines().next()?.trim().parse().ok()?;
    // The working directory of the server is its data folder. On a system that does not show it, the
    // id decides.
    let elsewhere = fs::read_link(format!("/proc/{pid}/cwd"))
        .is_ok_and(|cwd| fs::canonicalize(&data).is_ok_and(|data| cwd != data));
    let alive = matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM));
    (alive && !elsewhere && !is_zombie(pid)).then_some(pid)
}

/// Ended, but not waited for by its parent, as in a container without an init process.
fn is_zombie(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
    })
}

/// The end of a file, in whole lines.
fn tail(path: &Path) -> String {
    let read = || {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(LOG_TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let whole =
            if start > 0 { text.split_once('\n').map(|(_, rest)| rest.to_owned()) } else { None };
        Ok::<_, std::io::Error>(whole.unwrap_or(text))
    };
    read().unwrap_or_default().trim_end().to_owned()
}
