//! Lists the scripts of `migrations/` and `lint.allow` for embedding, so that a new one cannot be
//! forgotten; and finds the commit for `--version`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rustc-env=MIGRATOR_VERSION={}", version());
    embed_migrations()
}

/// The version with the commit and its date: `0.1.0 (2849622f6e0c 2026-11-28)`. Where there is no
/// repository, as in an image, `TASKIE_COMMIT` has what is in the brackets; without both it is the
/// version alone.
fn version() -> String {
    println!("cargo::rerun-if-env-changed=TASKIE_COMMIT");
    let version = env!("CARGO_PKG_VERSION");
    // A debug build shows the commit at which it was first built: to follow each commit, everything
    // that uses this package would be built again.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(log) = git(&["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"])
    {
        println!("cargo::rerun-if-changed={log}");
    }
    env::var("TASKIE_COMMIT")
        .ok()
        .filter(|commit| !commit.is_empty())
        .or_else(|| git(&["show", "--no-patch", "--abbrev=12", "--format=%h %cs"]))
        .map_or_else(|| version.to_owned(), |commit| format!("{version} ({commit})"))
}

/// The output of git in this repository, if there are both.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn embed_migrations() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let is_script = path.extension().is_some_and(|extension| extension == "sql");
        if is_script || path.ends_with("lint.allow") {
            files.push(path);
        }
    }
    files.sort();

    let mut list = String::from("&[\n");
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string())
            .expect("writing to a string does not fail");
    }
    list.push(']');
    let target = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    fs::write(Path::new(&target).join("embedded_migrations.rs"), list)
}
