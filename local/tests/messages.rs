//! The errors of the program: what is wrong, where, and what to do.

use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = "spin_manifest_version = 2
application = { name = 'app' }
[trigger]
[component.api]
source = 'api.wasm'
";

/// Runs `local up` in a project with these files. Returns the exit code and standard error.
fn up(project: &Path, files: &[(&str, &str)]) -> (Option<i32>, String) {
    for (name, content) in files {
        fs::write(project.join(name), content).expect("write a file");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_local"))
        .args(["up", "--quiet", "--runtime", "local", "--listen", "127.0.0.1:0"])
        .current_dir(project)
        .env_remove("DATABASE_URL")
        .env_remove("SPIN_VARIABLE_DATABASE_URL")
        .output()
        .expect("run the program");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_error_in_a_file_shows_the_line_and_what_to_do() {
    let project = tempfile::tempdir().expect("create a folder");
    let manifest = format!("{MANIFEST}sqlite_databases = ['default']\n");
    let path = project.path().join("spin.toml");
    let expected = format!(
        "error: `sqlite_databases` is not supported by `local`: expected one of `source`, `variables`, \
         `allowed_outbound_hosts`, `key_value_stores`, `build`, `description`
 --> {}:6:1
  |
6 | sqlite_databases = ['default']
  | ^^^^^^^^^^^^^^^^
hint: remove it, or run the application with `spin up`
",
        path.display()
    );
    assert_eq!(up(project.path(), &[("spin.toml", &manifest)]), (Some(2), expected));
}

#[test]
fn the_content_of_dot_env_is_not_shown() {
    let project = tempfile::tempdir().expect("create a folder");
    let expected = format!(
        "error: cannot use `{}`: line 2 is not valid
hint: each line is `NAME=value`; quote a value with spaces or `#`
",
        project.path().join(".env").display()
    );
    let files = [("spin.toml", MANIFEST), (".env", "A=1\nPASSWORD hunter2\n")];
    assert_eq!(up(project.path(), &files), (Some(2), expected));
}

#[test]
fn a_failed_build_shows_the_output_of_the_tool() {
    let project = tempfile::tempdir().expect("create a folder");
    let manifest = format!("{MANIFEST}build.command = 'echo no such crate >&2; exit 3'\n");
    let expected = "\
error: building component `api` failed (exit status: 3): echo no such crate >&2; exit 3
no such crate
hint: correct what the build tool reports, and try again
";
    assert_eq!(up(project.path(), &[("spin.toml", &manifest)]), (Some(3), expected.to_owned()));
}
