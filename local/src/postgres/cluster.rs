//! The folder of a cluster: where it lies, its password, its lock, and `initdb`.

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

use super::account::Account;
use super::binaries::Binaries;
use super::watchdog::{POLL, Watchdog};
use super::{DataDir, Error};

/// The superuser of every cluster here.
pub(super) const SUPERUSER: &str = "postgres";

/// How long the server of a killed process gets to end: its watchdog's first patience and a bit.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(35);

/// How long `initdb` may take; seconds are usual.
const INITDB_LIMIT: Duration = Duration::from_mins(2);

/// How much of a log is shown in an error.
const LOG_TAIL_BYTES: u64 = 2_000;

/// ```text
/// folder/
///   data/         the cluster
///   data.new/     while `initdb` makes it
///   lock          held by the process that serves it; kept clusters only
///   password      the superuser's; belongs to the server's account, mode 0600
///   postgres.log  of the last start
/// ```
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    pub(super) password: String,
    pub(super) kept: bool,
    /// The system gives it up when this process ends, however it ends.
    _lock: Option<File>,
}

impl Cluster {
    /// Makes or opens the folder and starts the watchdog that goes with it.
    pub(super) async fn open(
        data: &DataDir,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Self, Watchdog), Error> {
        match data {
            DataDir::Kept(folder) => Self::open_kept(folder, account, progress).await,
            DataDir::Throwaway => Self::make_throwaway(account),
        }
    }

    fn make_throwaway(account: &Account) -> Result<(Self, Watchdog), Error> {
        let parents = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")];
        let name = format!("taskie-pg-{:016x}", rand::random::<u64>());
        for parent in &parents {
            let folder = parent.join(&name);
            // The watchdog first: there is no moment at which a killed process leaves the folder.
            let watchdog = Watchdog::start(Some(&folder))
                .map_err(Error::file("start a shell for", &folder))?;
            if make_private(&folder, account).is_ok() && account.reaches(&folder) {
                let password = password_in(&folder, account)?;
                return Ok((Self { folder, password, kept: false, _lock: None }, watchdog));
            }
        }
        Err(Error::Unreachable { account: account.name().to_owned(), folder: parents[2].clone() })
    }

    async fn open_kept(
        wanted: &Path,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(Self, Watchdog), Error> {
        let wanted = std::path::absolute(wanted).map_err(Error::file("find", wanted))?;
        let folder = reachable(&wanted, account)?;
        if folder != wanted {
            progress(&format!(
                "the account `{}` cannot reach {}; the cluster is kept in {}",
                account.name(),
                wanted.display(),
                folder.display()
            ));
        }

        let lock = lock(&folder)?;
        wait_for_predecessor(&folder, progress).await?;
        let password = if folder.join("data").exists() {
            let path = folder.join("password");
            fs::read_to_string(path).map_err(|_| Error::Password {
                folder: folder.clone(),
                reason: "the file with the password is missing",
            })?
        } else {
            password_in(&folder, account)?
        };
        let watchdog = Watchdog::start(None).map_err(Error::file("start a shell for", &folder))?;
        Ok((Self { folder, password, kept: true, _lock: Some(lock) }, watchdog))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    /// The major version that made the data, where there is a cluster already.
    pub(super) fn made_by(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// The last lines of the server's log, for an error.
    pub(super) fn log_tail(&self) -> String {
        tail(&self.log())
    }

    /// Runs `initdb`. The cluster gets its name last: a half of one is never taken for a whole one.
    pub(super) async fn make(
        &self,
        binaries: &Binaries,
        account: &Account,
        watchdog: &mut Watchdog,
    ) -> Result<(), Error> {
        const WHAT: &str = "make a PostgreSQL cluster with `initdb`";
        let new = self.folder.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new)
                .map_err(Error::file("remove what an interrupted run left in", &new))?;
        }
        let log_path = self.folder.join("initdb.log");
        let log = File::create(&log_path).map_err(Error::file("write", &log_path))?;
        let log_too = log.try_clone().map_err(Error::file("write", &log_path))?;

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
        watchdog.run(&mut command).map_err(Error::file("run `initdb` for", &self.folder))?;
        let failed = |reason: String| Error::Program { what: WHAT, reason, log: tail(&log_path) };

        let deadline = Instant::now() + INITDB_LIMIT;
        let status = loop {
            let ended = watchdog.ended().map_err(Error::file("run `initdb` for", &self.folder))?;
            match ended {
                Some(status) => break status,
                None if Instant::now() > deadline => {
                    return Err(failed(format!(
                        "it did not end within {} s",
                        INITDB_LIMIT.as_secs()
                    )));
                }
                None => tokio::time::sleep(POLL).await,
            }
        };
        if !status.success() {
            return Err(failed(status.to_string()));
        }
        fs::rename(&new, self.data()).map_err(Error::file("give its name to", self.data()))?;
        fs::remove_file(&log_path).map_err(Error::file("remove", &log_path))
    }
}

/// `wanted`, or where that is out of the account's reach (a project below `/root`) a folder outside
/// that stays the same for this project.
fn reachable(wanted: &Path, account: &Account) -> Result<PathBuf, Error> {
    // Parents that do not exist yet get the usual modes; the folder itself is private.
    if let Some(parent) = wanted.parent() {
        fs::create_dir_all(parent).map_err(Error::file("make", parent))?;
    }
    let project =
        fs::canonicalize(wanted.parent().unwrap_or(wanted)).unwrap_or_else(|_| wanted.to_owned());
    let hash = Sha256::digest(
        project.join(wanted.file_name().unwrap_or_default()).as_os_str().as_encoded_bytes(),
    );
    let (head, _) = hash.split_first_chunk().expect("a hash has more than 8 bytes");
    let name = format!("{:016x}", u64::from_be_bytes(*head));

    make_or_trust(wanted, account)?;
    if account.reaches(wanted) {
        return Ok(wanted.to_owned());
    }
    let mut last = wanted.to_owned();
    for parent in [PathBuf::from("/var/lib/taskie"), std::env::temp_dir().join("taskie")] {
        last = parent.join(&name);
        if fs::create_dir_all(&parent).is_ok()
            && make_or_trust(&last, account).is_ok()
            && account.reaches(&last)
        {
            return Ok(last);
        }
    }
    Err(Error::Unreachable { account: account.name().to_owned(), folder: last })
}

/// Takes a folder that is there if nobody else could have filled it.
fn make_or_trust(folder: &Path, account: &Account) -> Result<(), Error> {
    if !folder.exists() {
        return make_private(folder, account);
    }
    if account.may_trust(folder) {
        account.give(folder).map_err(Error::file("hand over", folder))
    } else {
        let refusal = std::io::Error::other("it belongs to another account");
        Err(Error::file("use", folder)(refusal))
    }
}

fn make_private(folder: &Path, account: &Account) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(folder).map_err(Error::file("make", folder))?;
    account.give(folder).map_err(Error::file("hand over", folder))
}

/// A new password in the folder's file `password`, or the one that an interrupted run left.
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
        .map_err(Error::file("write", &path))?;
    Ok(password)
}

/// The lock says that a process serves this cluster. `postmaster.pid` alone would not do: between two
/// processes that both find no server, or no cluster, it does not decide.
fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::AlreadyRunning { folder: folder.to_owned(), pid: postmaster(folder) })
        }
        Err(TryLockError::Error(err)) => Err(Error::file("lock", path)(err)),
    }
}

/// We have the lock, so a server that still runs belongs to a process that was killed: its watchdog
/// is stopping it. One that goes on was started by other means.
async fn wait_for_predecessor(
    folder: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    if let Some(pid) = postmaster(folder) {
        progress(&format!(
            "waiting for the PostgreSQL server of an earlier run to end (process {pid})"
        ));
    }
    let deadline = Instant::now() + PREDECESSOR_LIMIT;
    while let Some(pid) = postmaster(folder) {
        if Instant::now() > deadline {
            return Err(Error::AlreadyRunning { folder: folder.to_owned(), pid: Some(pid) });
        }
        tokio::time::sleep(POLL).await;
    }
    // What a crash left. The server would see that, unless its process id is somebody else's by now.
    let stale = folder.join("data/postmaster.pid");
    if stale.exists() {
        fs::remove_file(&stale).map_err(Error::file("remove", &stale))?;
    }
    Ok(())
}

/// The process id of a running server of this cluster.
fn postmaster(folder: &Path) -> Option<i32> {
    let data = folder.join("data");
    let file = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = file.lines().next()?.trim().parse().ok()?;
    // It works in its data folder; another process with that id does not. Where the system does not
    // tell, the id decides.
    let elsewhere = fs::read_link(format!("/proc/{pid}/cwd"))
        .is_ok_and(|cwd| fs::canonicalize(&data).is_ok_and(|data| cwd != data));
    let alive = matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM));
    (alive && !elsewhere && !is_zombie(pid)).then_some(pid)
}

/// Ended, but not waited for by its parent: in a container without an init process that lasts.
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
