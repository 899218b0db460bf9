//! Builds the components with the commands in `spin.toml`.

use std::io::{ErrorKind as Io, IsTerminal};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::config::{Build, Manifest};
use crate::error::{Error, ErrorKind};

/// The target that the components of this project are built for.
const TARGET: &str = "wasm32-wasip2";

/// Variables of the cargo that may have started this process, which the cargo started here must not see: flags for
/// this machine break a build for WebAssembly, and another target or folder would put the file elsewhere.
const NOT_INHERITED: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "RUSTFLAGS",
];

/// Runs the build commands of every component. Blocks until they are done.
///
/// The file is written to `target` in the manifest's folder, where `source` expects it, even if the caller uses
/// another target folder. On a terminal the build tool shows its progress; elsewhere its output is part of the error.
pub fn build_component(manifest: &Path) -> Result<(), Error> {
    let manifest = Manifest::load(manifest)?;
    let target_dir = manifest.dir.join("target");
    for (id, component) in &manifest.components {
        let Some(build) = &component.build else { continue };
        for command in &build.commands {
            if command.contains(TARGET) {
                install_target(&build.workdir)?;
            }
            run(id, build, command, &target_dir)?;
        }
    }
    Ok(())
}

fn run(id: &str, build: &Build, command: &str, target_dir: &Path) -> Result<(), Error> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(&build.workdir)
        .env("CARGO_TARGET_DIR", target_dir)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let is_package = name.to_string_lossy().starts_with("CARGO_PKG_");
        if is_package || NOT_INHERITED.iter().any(|other| name == *other) {
            shell.env_remove(name);
        }
    }
    if std::io::stderr().is_terminal() {
        shell.stderr(Stdio::inherit());
    }
    let output = output(&mut shell, "sh")?;
    match output.status.code() {
        Some(0) => Ok(()),
        // The exit code of a shell for a command that does not exist.
        Some(127) => Err(missing(command.split_whitespace().next().unwrap_or(command))),
        _ => {
            let message =
                format!("building component `{id}` failed ({}): {command}", output.status);
            Err(Error::new(ErrorKind::Component, message)
                .with_details(String::from_utf8_lossy(&output.stderr).trim_end())
                .with_hint("correct what the build tool reports, and try again"))
        }
    }
}

/// Installs the target, unless the toolchain has it.
fn install_target(workdir: &Path) -> Result<(), Error> {
    let mut rustc = Command::new("rustc");
    let sysroot = output(rustc.args(["--print", "sysroot"]).current_dir(workdir), "rustc")?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    let added = output(rustup.args(["target", "add", TARGET]).current_dir(workdir), "rustup")?;
    if added.status.success() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Component, format!("cannot install the Rust target {TARGET}"))
        .with_details(String::from_utf8_lossy(&added.stderr).trim_end())
        .with_hint(format!("install it by hand: `rustup target add {TARGET}`")))
}

fn output(command: &mut Command, program: &str) -> Result<Output, Error> {
    command.output().map_err(|error| match error.kind() {
        Io::NotFound => missing(program),
        _ => Error::file(ErrorKind::Component, "run", program)(error),
    })
}

fn missing(program: &str) -> Error {
    let message = format!("`{program}` is needed to build the component, and is not installed");
    let hint = match program {
        "cargo" | "rustc" | "rustup" => {
            "install Rust with https://rustup.rs, then open a new terminal"
        }
        _ => "install it, or change `build.command` in spin.toml",
    };
    Error::new(ErrorKind::Component, message).with_hint(hint)
}
