//! The programs under test, built as this test program was.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the workspace, with `spin.toml`.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate `tests` lies in the workspace")
}

/// The path of the program `migrator`, built now if it was not up to date.
pub fn migrator() -> PathBuf {
    static MIGRATOR: OnceLock<PathBuf> = OnceLock::new();
    MIGRATOR.get_or_init(|| build("migrator")).clone()
}

/// The path of the program `local` (`cargo up`), built now if it was not up to date.
pub fn local() -> PathBuf {
    static LOCAL: OnceLock<PathBuf> = OnceLock::new();
    LOCAL.get_or_init(|| build("local")).clone()
}

/// The path of the program `native`, which measurements compare the API with, built now if it was not up
/// to date.
pub(crate) fn native() -> PathBuf {
    static NATIVE: OnceLock<PathBuf> = OnceLock::new();
    NATIVE.get_or_init(|| build("native")).clone()
}

/// Builds with this program's target folder, profile and target, and without `--package`: then the
/// features of the whole workspace are resolved together, as they were for this program, and nothing
/// is compiled a second time.
fn build(program: &str) -> PathBuf {
    let place = Place::of_this_program();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--bin", program])
        .arg("--target-dir")
        .arg(&place.target_folder);
    match place.profile.as_str() {
        "debug" => {}
        profile => {
            command.args(["--profile", profile]);
        }
    }
    if let Some(target) = &place.target {
        command.args(["--target", target]);
    }
    // Build scripts that watch the variables which `cargo test` sets for this crate (that of `ring`
    // does) would run again each time, and rebuild whatever depends on them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command.current_dir(workspace()).output().expect("run cargo");
    assert!(
        output.status.success(),
        "failed to build `{program}`:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    place.folder.join(program)
}

/// `<target folder>[/<target>]/<profile>[/deps]/<this program>`
struct Place {
    target_folder: PathBuf,
    target: Option<String>,
    profile: String,
    /// The folder of the built programs.
    folder: PathBuf,
}

impl Place {
    fn of_this_program() -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let folder = program.parent().expect("a program lies in a folder");
        // Test programs are in a subfolder, `deps`; others are not.
        let folder = if folder.ends_with("deps") { folder.parent() } else { Some(folder) };
        let folder = folder.expect("the folder `deps` lies in another one").to_owned();
        // Cargo puts this file into the target folder, and only there.
        let target_folder = folder
            .ancestors()
            .find(|ancestor| ancestor.join("CACHEDIR.TAG").exists())
            .expect("this program lies in a target folder of Cargo")
            .to_owned();
        let names: Vec<String> = folder
            .strip_prefix(&target_folder)
            .expect("an ancestor is a prefix")
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        let (target, profile) = match names.as_slice() {
            [profile] => (None, profile.clone()),
            [target, profile] => (Some(target.clone()), profile.clone()),
            other => panic!("a test program in an unexpected folder: {other:?}"),
        };
        Self { target_folder, target, profile, folder }
    }
}
