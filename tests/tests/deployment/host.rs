//! `deploy/host/`: the file of variables, and `rollout` with a stand-in for systemd: one process after the other, and
//! back if one fails.

use std::fs;
use std::os::unix::fs::symlink;

use tests::{default_variables, workspace};
use toml::Table;

use crate::programs::Programs;

/// Notes which release a process was started with.
const SYSTEMCTL: &str =
    r#"echo "$2 $(basename "$(readlink "$here/work/current")")" >>"$here/started""#;
/// A process is well unless its release is the broken one.
const CURL: &str = r#"
case "$(readlink "$here/work/current")" in
  *broken) echo 'the schema is older than the service'; case "$*" in *-fsS*) exit 22 ;; esac ;;
esac"#;

fn host() -> (Programs, Vec<(&'static str, String)>) {
    let programs = Programs::new(&[("systemctl", SYSTEMCTL), ("curl", CURL), ("sleep", "")]);
    for release in ["1.0.0", "1.1.0", "broken"] {
        programs.write(&format!("{release}/spin.toml"), "");
    }
    symlink(programs.work().join("1.0.0"), programs.work().join("current")).expect("a link");
    let current = programs.work().join("current").to_str().expect("a plain path").to_owned();
    (programs, vec![("CURRENT", current), ("PATIENCE", "3".to_owned())])
}

async fn roll_out(release: &str) -> (Programs, tests::CliOutput) {
    let (programs, variables) = host();
    let folder = programs.work().join(release);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let folder = folder.to_str().expect("a plain path");
    let output = programs.run("deploy/host/rollout", &[folder], &variables).await;
    (programs, output)
}

#[tokio::test]
async fn each_process_starts_with_the_new_release() {
    let (programs, output) = roll_out("1.1.0").await;
    output.exits(0);
    assert_eq!(programs.read("started"), "taskie@3000 1.1.0\ntaskie@3001 1.1.0\n");
    let current = fs::read_link(programs.work().join("current")).expect("a link");
    assert!(current.ends_with("1.1.0"));
}

#[tokio::test]
async fn a_release_that_cannot_use_the_database_is_taken_back() {
    let (programs, output) = roll_out("broken").await;
    output.exits(1).says("the schema is older than the service").says("1.0.0 is back");
    // The other process was never touched.
    assert_eq!(programs.read("started"), "taskie@3000 broken\ntaskie@3000 1.0.0\n");
}

#[tokio::test]
async fn a_folder_without_a_release_changes_nothing() {
    let (programs, output) = roll_out("2.0.0").await;
    output.exits(2).says("there is no");
    assert_eq!(programs.calls(), [""; 0]);
}

#[test]
fn the_file_of_variables_has_each_with_its_default() {
    let path = workspace().join("deploy/host/variables.toml");
    let text = fs::read_to_string(path).expect("read the file");
    let mut file: Table = text.parse().expect("TOML");
    let url = file.remove("database_url").expect("a connection string");
    assert!(url.as_str().expect("text").starts_with("postgresql://"));
    assert_eq!(file, default_variables(&workspace().join("spin.toml")));
}
