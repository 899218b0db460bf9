//! Builds the components with the commands that `spin.toml` gives for them.

use std::io::{ErrorKind, IsTerminal};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::config::{Build, Manifest};
use crate::error::Error;

/// The target that components of this project are built for.
const TARGET: &str = "wasm32-wasip2";

/// Variables of the cargo that may have started this process. The nested cargo must not see them: flags meant for
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

/// Builds every component of the manifest that says how. Blocks until they are built.
///
/// The file lands where the manifest's `source` expects it, in `target` beside the manifest, whatever target folder
/// the caller uses. On a terminal the build tool shows its progress; elsewhere it speaks only when it fails.
pub fn build_component(manifest: &Path) -> Result<(), Error> {
    let manifest = Manifest::load(manifest)?;
    let target_dir = manifest.dir.join("target");
    for (id, component) in &manifest.components {
        for command in component.build.iter().flat_map(|build| &build.commands) {
            let build = component.build.as_ref().expect("a command comes from a build");
            if command.contains(TARGET) {
                provide_target(&build.workdir)?;
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
    let output = capture(&mut shell, "sh")?;
    match output.status.code() {
        Some(0) => Ok(()),
        // The shell's way to say that there is no such command.
        Some(127) => Err(Error::ToolMissing {
            program: command.split_whitespace().next().unwrap_or(command).to_owned(),
        }),
        _ => Err(Error::Build {
            component: id.to_owned(),
            command: command.to_owned(),
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        }),
    }
}

/// Installs the target when the toolchain in use lacks it.
fn provide_target(workdir: &Path) -> Result<(), Error> {
    let mut rustc = Command::new("rustc");
    let sysroot = capture(rustc.args(["--print", "sysroot"]).current_dir(workdir), "rustc")?;
    let sysroot = String::from_utf8_lossy(&sysroot.stdout).trim().to_owned();
    if Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    let added = capture(rustup.args(["target", "add", TARGET]).current_dir(workdir), "rustup")?;
    if added.status.success() {
        Ok(())
    } else {
        Err(Error::TargetMissing {
            target: TARGET,
            reason: String::from_utf8_lossy(&added.stderr).trim().to_owned(),
        })
    }
}

fn capture(command: &mut Command, program: &str) -> Result<Output, Error> {
    command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::ToolMissing { program: program.to_owned() },
        _ => Error::Tool { program: program.to_owned(), source: error },
    })
}
