//! The program `spin`: where it is, and what it can run.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local::{Build, Error, ErrorKind, SpinVersion};
use tokio::process::Command;

/// Time limit for a program to report its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);

/// An installed Spin that can run the components.
#[derive(Clone, Debug)]
pub(crate) struct SpinProgram {
    path: PathBuf,
    version: SpinVersion,
    build: Build,
}

impl SpinProgram {
    /// Runs the program to find out its version. Fails if it is not Spin, does not work, or is too old.
    pub(crate) async fn inspect(path: PathBuf) -> Result<SpinProgram, Error> {
        let name = path.display();
        let config = |message: String| Error::new(ErrorKind::Config, message);
        let mut command = Command::new(&path);
        command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(VERSION_LIMIT, command.output())
            .await
            .map_err(|_| {
                let seconds = VERSION_LIMIT.as_secs();
                config(format!("`{name} --version` does not end within {seconds} s"))
            })?
            .map_err(|error| config(format!("cannot run `{name}`: {error}")))?;
        if !output.status.success() {
            let message = format!("`{name} --version` failed ({})", output.status);
            let details = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            return Err(config(message).with_details(details));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(version) = SpinVersion::parse(&text) else {
            let first = text.lines().next().unwrap_or_default();
            return Err(config(format!("`{name} --version` prints no version of Spin: `{first}`")));
        };
        let Some(build) = version.build() else {
            let message = format!("Spin {version} ({name}) is too old: 3.4 or newer is needed");
            return Err(config(message));
        };
        Ok(SpinProgram { path, version, build })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The newest build that it runs.
    pub(crate) fn build(&self) -> Build {
        self.build
    }
}

/// `Spin 4.1.0 (/usr/local/bin/spin)`
impl fmt::Display for SpinProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spin {} ({})", self.version, self.path.display())
    }
}

/// The first executable file of this name in the folders of `PATH`.
pub(crate) fn in_path(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| {
        file.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}
