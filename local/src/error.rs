//! Everything that can keep the application from starting, each with what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why the application did not build or start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `spin.toml` or the runtime configuration is wrong, or asks for what this runner does not have.
    #[error("{}{}: {message}", path.display(), at(*position))]
    Config {
        /// The file.
        path: PathBuf,
        /// Line and column, from 1.
        position: Option<(usize, usize)>,
        /// What is wrong.
        message: String,
    },
    /// Variables without a value.
    #[error("no value for required variable{}: {}", plural(.0), list(.0))]
    MissingVariables(Vec<String>),
    /// Values for variables that `spin.toml` does not have.
    #[error("spin.toml has no variable{}: {}", plural(.0), list(.0))]
    UnknownVariables(Vec<String>),
    /// An entry of `allowed_outbound_hosts` is malformed.
    #[error("`component.{component}.allowed_outbound_hosts`: {reason}")]
    AllowedHosts {
        /// The component's id.
        component: String,
        /// What is wrong with which entry.
        reason: String,
    },
    /// The component's file is not there.
    #[error("component `{component}` is not built: {} does not exist", path.display())]
    ComponentMissing {
        /// The component's id.
        component: String,
        /// Where `spin.toml` says that it is.
        path: PathBuf,
    },
    /// The file is not a component that this runner can run.
    #[error("component `{component}` cannot run here: {reason}")]
    ComponentUnusable {
        /// The component's id.
        component: String,
        /// Often an import that this runner does not have.
        reason: String,
    },
    /// The WebAssembly engine does not start.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// A build tool is missing.
    #[error("`{program}` is needed to build the component, and is not there")]
    ToolMissing {
        /// The program's name.
        program: String,
    },
    /// A build tool is there but does not start.
    #[error("cannot run `{program}`: {source}")]
    Tool {
        /// The program's name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Rust's support for WebAssembly is missing and cannot be installed.
    #[error("the Rust target {target} cannot be installed: {reason}")]
    TargetMissing {
        /// The target's name.
        target: &'static str,
        /// What rustup says.
        reason: String,
    },
    /// The build ended with an error. On a terminal it has shown that itself.
    #[error("building component `{component}` failed ({status}): {command}{}", below(output))]
    Build {
        /// The component's id.
        component: String,
        /// The command from `spin.toml`.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it said, unless it said it on the terminal.
        output: String,
    },
    /// The address to listen on is taken.
    #[error("{0} is already in use")]
    AddressInUse(SocketAddr),
    /// The address to listen on cannot be used.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// What to do about it, when there is something.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::MissingVariables(names) => names.first().map(|name| {
                let variable = crate::config::environment_name(name);
                format!("set `{variable}` in the environment")
            }),
            Error::ComponentMissing { .. } => {
                Some("build it: `spin build`, or `cargo up`, which builds and serves".to_owned())
            }
            Error::ToolMissing { program } if program == "rustup" => Some(
                "install rustup (https://rustup.rs), or give the Rust in use the target wasm32-wasip2"
                    .to_owned(),
            ),
            Error::ToolMissing { .. } => {
                Some("install Rust: https://rustup.rs, then open a new terminal".to_owned())
            }
            Error::AddressInUse(address) => {
                let next = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(0));
                Some(format!("stop what listens there, or choose another: `--listen {next}`"))
            }
            Error::Listen { .. } => Some("choose another address with `--listen`".to_owned()),
            Error::Read { .. }
            | Error::Write { .. }
            | Error::Config { .. }
            | Error::UnknownVariables(_)
            | Error::AllowedHosts { .. }
            | Error::ComponentUnusable { .. }
            | Error::Engine(_)
            | Error::Tool { .. }
            | Error::TargetMissing { .. }
            | Error::Build { .. } => None,
        }
    }
}

fn at(position: Option<(usize, usize)>) -> String {
    position.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"))
}

fn below(output: &str) -> String {
    if output.is_empty() { String::new() } else { format!("\n{output}") }
}

fn plural(names: &[String]) -> &'static str {
    if names.len() == 1 { "" } else { "s" }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
