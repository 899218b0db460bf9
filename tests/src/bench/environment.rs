//! Where the figures are from.

use std::num::NonZero;
use std::process::Command;

use serde::Serialize;

use super::options::Options;
use crate::Component;
use crate::settings::{RuntimeKind, SETTINGS};

/// The versions and the machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Environment {
    /// What runs the components.
    host: String,
    /// False if this program and what it builds are not: the load, the native server, and `local`.
    is_optimised: bool,
    /// The build of the components.
    component: &'static str,
    api_bytes: u64,
    floor_bytes: u64,
    postgres: String,
    processors: usize,
    load_average: String,
    log_level: String,
    /// On Spin, whether the variables are in a file; else they are in its environment.
    has_variables_file: bool,
}

impl Environment {
    /// `postgres` is the version of the server.
    pub(crate) fn read(options: &Options, postgres: String) -> Self {
        let component = Component::under_test();
        let size = |name| std::fs::metadata(component.file(name)).map_or(0, |file| file.len());
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            host: match SETTINGS.runtime {
                RuntimeKind::Local => "local".to_owned(),
                RuntimeKind::Spin { .. } => spin_version().unwrap_or_else(|| "spin".to_owned()),
            },
            is_optimised: !cfg!(debug_assertions),
            component: component.name(),
            api_bytes: size("api"),
            floor_bytes: size("floor"),
            postgres,
            processors: std::thread::available_parallelism().map_or(0, NonZero::get),
            load_average: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
            log_level: options.log_level.clone(),
            has_variables_file: options.has_variables_file(),
        }
    }

    /// The host and the build, in a few words.
    pub(crate) fn title(&self) -> String {
        format!("{}, {}, PostgreSQL {}", self.host, self.component, self.postgres)
    }

    pub(crate) fn describe(&self) -> String {
        let warning = match SETTINGS.runtime {
            _ if self.is_optimised => "",
            RuntimeKind::Local => {
                "NOT OPTIMISED: these figures mean nothing; use `cargo bench-api`\n"
            }
            // Spin is, and so are the components in every profile.
            RuntimeKind::Spin { .. } => {
                "not optimised: the load and the native server; use `cargo bench-api-spin`\n"
            }
        };
        let variables = match SETTINGS.runtime {
            RuntimeKind::Local => "",
            RuntimeKind::Spin { .. } if self.has_variables_file => ", variables in a file",
            RuntimeKind::Spin { .. } => ", variables in the environment",
        };
        format!(
            "{warning}host: {}{variables}\ncomponents of {}: the API {} bytes, the bare one {} bytes\n\
             PostgreSQL {}, {} processors, load average {}, log_level {}\n",
            self.host,
            self.component,
            self.api_bytes,
            self.floor_bytes,
            self.postgres,
            self.processors,
            self.load_average,
            self.log_level
        )
    }
}

/// The version of the Spin that the tests use.
pub(crate) fn spin_version() -> Option<String> {
    let program = std::env::var_os("SPIN").unwrap_or_else(|| "spin".into());
    let output = Command::new(program).arg("--version").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
