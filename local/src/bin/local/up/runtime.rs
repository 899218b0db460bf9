//! The runtime that serves: Spin where it is installed, else `local`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use local::{Build, Error, ErrorKind};

use crate::args::{RuntimeName, UpOptions};
use crate::console::{self, Console};
use crate::paths::ProjectPaths;
use crate::spin::{SpinProgram, in_path};

/// The environment variable with the program of Spin, as the tests have it.
const VARIABLE: &str = "SPIN";

/// A runtime that can serve.
pub(super) enum Runtime {
    Local,
    Spin(SpinProgram),
}

impl Runtime {
    /// Takes the runtime that was asked for, else Spin if there is one: the program in `SPIN`, else `spin` in `PATH`.
    ///
    /// A Spin that cannot serve is an error if a person has named or asked for it, and otherwise a warning.
    pub(super) async fn choose(options: &UpOptions, console: Console) -> Result<Runtime, Error> {
        let asked = match options.runtime {
            Some(RuntimeName::Local) if options.watch => {
                let message = "`--watch` needs Spin: `local` does not watch files";
                return Err(Error::new(ErrorKind::Config, message)
                    .with_hint("leave out `--runtime local`, or `--watch`"));
            }
            None if options.watch => Some(RuntimeName::Spin),
            asked => asked,
        };
        if asked == Some(RuntimeName::Local) {
            console.report("serving with `local`, the host of this repository");
            return Ok(Runtime::Local);
        }
        let named = std::env::var_os(VARIABLE).filter(|name| !name.is_empty());
        let program = match &named {
            Some(name) => Some(resolve(name)),
            None => in_path(OsStr::new("spin")),
        };
        let Some(program) = program else {
            if asked == Some(RuntimeName::Spin) {
                let message = "Spin is not installed: there is no `spin` in `PATH`";
                return Err(with_hint(Error::new(ErrorKind::Config, message), named.as_ref()));
            }
            console.report("serving with `local`, because Spin is not installed");
            return Ok(Runtime::Local);
        };
        match SpinProgram::inspect(program).await {
            Ok(spin) => {
                let build = match spin.build() {
                    Build::Wasip2 => ", which runs the build for WASI 0.2",
                    Build::Wasip3 => "",
                };
                console.report(&format!("serving with {spin}{build}"));
                Ok(Runtime::Spin(spin))
            }
            Err(error) if named.is_some() || asked.is_some() => {
                Err(with_hint(error, named.as_ref()))
            }
            Err(error) => {
                console::warning(&format!("serving with `local`: {}", error.message()));
                Ok(Runtime::Local)
            }
        }
    }

    /// The manifest of the build that it runs.
    pub(super) fn manifest(&self, paths: &ProjectPaths) -> PathBuf {
        match self.build() {
            Build::Wasip2 => paths.wasip2_manifest(),
            Build::Wasip3 => paths.manifest(),
        }
    }

    pub(super) fn build(&self) -> Build {
        match self {
            Runtime::Local => Build::Wasip3,
            Runtime::Spin(spin) => spin.build(),
        }
    }
}

/// The path of a program; one without a slash is looked for in `PATH`, as a shell does.
fn resolve(name: &OsString) -> PathBuf {
    let path = Path::new(name);
    let is_bare = path.components().count() == 1 && !path.is_absolute();
    in_path(name).filter(|_| is_bare).unwrap_or_else(|| path.to_owned())
}

fn with_hint(error: Error, named: Option<&OsString>) -> Error {
    const INSTALL: &str = "install Spin 4.1 or newer, https://spinframework.dev/install";
    error.with_hint(match named {
        Some(_) => {
            format!("correct or unset `{VARIABLE}`, or {INSTALL}, or serve with `--runtime local`")
        }
        None => format!("{INSTALL}, or serve with `--runtime local`"),
    })
}
