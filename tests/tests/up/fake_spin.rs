//! A program that stands in for Spin, so that every machine can test how it is chosen, started and stopped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;
use tests::{TestDatabase, until};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::program::command;

/// An application without components that have to be built; `built` lists the manifests that were.
const MANIFEST: &str = "spin_manifest_version = 2
application = { name = 'app' }
[variables]
database_url = { required = true }
database_host = { default = '' }
database_port = { default = '' }
jwt_secret = { default = '' }
[[trigger.http]]
route = '/...'
component = 'api'
[component.api]
source = 'api.wasm'
build.command = 'echo NAME >>built'
";

/// Reports a version; as `spin up` it prints what Spin does, notes how it was started, and starts another process as
/// Spin does. It does not listen: the test does, on the address that it was given.
const SCRIPT: &str = r#"#!/bin/sh
folder=${0%/*}
if [ "$1" = --version ]; then
    cat "$folder/version"
    exit "$(cat "$folder/status")"
fi
env >"$folder/environment"
printf '\nServing http://fake\nAvailable Routes:\n  api: http://fake (wildcard)\n'
echo 'a line of a component' >&2
sleep 600 &
# The shell makes it ignore an interrupt.
trap 'kill $!; exit 130' INT
echo "$$ $!" >"$folder/processes"
printf '%s\n' "$@" >"$folder/new"
mv "$folder/new" "$folder/arguments"
while [ ! -e "$folder/end" ]; do sleep 0.1; done
echo 'Error: the reason of Spin' >&2
exit 3
"#;

/// The program, and a project to serve with it, in a folder of their own.
pub(crate) struct FakeSpin {
    folder: TempDir,
}

impl FakeSpin {
    /// A program that prints this as its version.
    pub(crate) fn new(version: &str) -> Self {
        Self::with_status(version, 0)
    }

    /// The same, which ends with this status after it.
    pub(crate) fn with_status(version: &str, status: u8) -> Self {
        let folder = tempfile::tempdir().expect("create a folder");
        let fake = Self { folder };
        fs::create_dir(fake.folder()).expect("create a folder");
        for (path, text) in [
            (fake.program(), SCRIPT),
            (fake.folder().join("version"), version),
            (fake.folder().join("status"), &status.to_string()),
            (fake.project().join("spin.toml"), &MANIFEST.replace("NAME", "spin.toml")),
            (
                fake.project().join("spin-wasip2.toml"),
                &MANIFEST.replace("NAME", "spin-wasip2.toml"),
            ),
            (fake.project().join("runtime-config.toml"), "[outbound_pg]\nmax_connections = 5\n"),
        ] {
            fs::write(path, text).expect("write a file");
        }
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(fake.program(), executable).expect("make it executable");
        fake
    }

    /// `cargo up` in the project, with no other Spin than this one in `PATH`.
    pub(crate) async fn up(&self, database: &TestDatabase, options: &[&str]) -> Command {
        let mut command = command(&["up", "--listen", "127.0.0.1:0"]).await;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let others = std::env::split_paths(&path).filter(|folder| !folder.join("spin").exists());
        let path = std::iter::once(self.folder()).chain(others);
        command
            .args(options)
            .current_dir(self.project())
            .env("DATABASE_URL", database.url().to_connection_string())
            .env("PATH", std::env::join_paths(path).expect("a path"));
        command
    }

    /// Listens on the address that it was started with, once it was.
    pub(crate) async fn listen(&self) -> TcpListener {
        let arguments = until("`spin up` is started", async || self.arguments()).await;
        let at = arguments.iter().position(|argument| argument == "--listen").expect("an address");
        TcpListener::bind(&arguments[at + 1]).await.expect("listen in place of Spin")
    }

    /// Its arguments; `None` before it was started.
    pub(crate) fn arguments(&self) -> Option<Vec<String>> {
        let text = fs::read_to_string(self.folder().join("arguments")).ok()?;
        Some(text.lines().map(str::to_owned).collect())
    }

    /// The environment that it was started with.
    pub(crate) fn environment(&self) -> String {
        fs::read_to_string(self.folder().join("environment")).expect("it was started")
    }

    /// The manifest whose components were built.
    pub(crate) fn built(&self) -> String {
        let text = fs::read_to_string(self.project().join("built")).expect("it was built");
        text.trim_end().to_owned()
    }

    /// Makes it end by itself.
    pub(crate) fn end(&self) {
        fs::write(self.folder().join("end"), "").expect("write a file");
    }

    /// Waits until neither it nor the process that it started is there.
    pub(crate) async fn is_gone(&self) {
        let text = fs::read_to_string(self.folder().join("processes")).expect("it was started");
        for id in text.split_whitespace() {
            let id = id.parse().expect("a process id");
            until("the process has ended", async || has_ended(id).then_some(())).await;
        }
    }

    /// Its folder in `PATH`.
    fn folder(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder().join("spin")
    }

    pub(crate) fn project(&self) -> &Path {
        self.folder.path()
    }
}

/// True for a zombie too, which nobody may be there to wait for.
fn has_ended(id: i32) -> bool {
    let is_zombie = fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")));
    is_zombie || kill(Pid::from_raw(id), None).is_err()
}
