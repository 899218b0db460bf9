//! `deploy/akamai/deploy`, with a stand-in for Spin and its plugin; and `deploy/install-spin`.

use serde_json::{Value, json};

use crate::programs::Programs;

/// Notes the variables' file with its mode, and the token that it was given.
const SPIN: &str = r#"
case "$*" in
  "aka login") echo "$SPIN_AKA_ACCESS_TOKEN" >"$here/token" ;;
  "aka app status "*) [ -e "$here/exists" ] ;;
  "aka app deploy "*)
    for argument; do case $argument in @*) cp -p "${argument#@}" "$here/variables.json" ;; esac; done
    [ ! -e "$here/fails" ] || { echo "Error: the platform refuses it" >&2; exit 1; }
    ;;
esac"#;

const VARIABLES: [(&str, &str); 5] = [
    ("SPIN_AKA_ACCESS_TOKEN", "pat_secret-of-the-account"),
    ("SPIN_VARIABLE_DATABASE_URL", "postgresql://api:pass'word\"@ep-a-pooler.neon.tech/neondb"),
    ("SPIN_VARIABLE_JWT_SECRET", "a secret with spaces"),
    ("SPIN_VARIABLE_JWT_ISSUER", ""),
    ("SPIN_VARIABLE_LOG_LEVEL", "warn"),
];

#[tokio::test]
async fn variables_reach_spin_and_no_argument_and_no_line_of_the_log() {
    let programs = Programs::new(&[("spin", SPIN)]);
    let mut output = programs.run("deploy/akamai/deploy", &["tasks"], &VARIABLES).await.exits(0);
    for (_, value) in VARIABLES.iter().filter(|(_, value)| value.len() > 4) {
        output = output.does_not_print(value);
        assert!(!programs.read("calls").contains(value), "{value} is an argument");
    }
    assert_eq!(programs.read("token").trim(), VARIABLES[0].1);
    let variables: Value =
        serde_json::from_str(&programs.read("variables.json")).expect("a document");
    // What is empty is not set.
    assert_eq!(
        variables,
        json!({
            "database_url": VARIABLES[1].1, "jwt_secret": VARIABLES[2].1, "log_level": "warn"
        })
    );
    let mode = std::os::unix::fs::MetadataExt::mode(
        &std::fs::metadata(programs.path("variables.json")).expect("the file"),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn the_first_time_the_application_is_created_and_later_updated() {
    for (exists, option) in [(false, "--create-name tasks"), (true, "--app-name tasks")] {
        let programs = Programs::new(&[("spin", SPIN)]);
        if exists {
            std::fs::write(programs.path("exists"), "").expect("write a file");
        }
        programs.run("deploy/akamai/deploy", &["tasks"], &VARIABLES).await.exits(0);
        let expected = format!(
            "spin aka app deploy --no-confirm --from release/taskie/spin.toml {option} --variable @"
        );
        assert!(
            programs.calls().last().expect("a call").starts_with(&expected),
            "{:?}",
            programs.calls()
        );
    }
}

#[tokio::test]
async fn what_is_deployed_now_is_noted_to_go_back_to_it() {
    let app = tests::App::start_with(|_| {}).await;
    let programs = Programs::new(&[("spin", SPIN)]);
    let url = app.url();
    let mut variables = VARIABLES.to_vec();
    variables.push(("TASKIE_URL", &url));
    programs.run("deploy/akamai/deploy", &["tasks"], &variables).await.exits(0);
    assert_eq!(programs.read("work/previous-version").trim(), env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_deployment_that_fails_is_a_failure() {
    let programs = Programs::new(&[("spin", SPIN)]);
    std::fs::write(programs.path("fails"), "").expect("write a file");
    programs
        .run("deploy/akamai/deploy", &["tasks"], &VARIABLES)
        .await
        .exits(1)
        .says("the platform refuses it");
    for missing in ["SPIN_AKA_ACCESS_TOKEN", "SPIN_VARIABLE_DATABASE_URL"] {
        let variables: Vec<_> =
            VARIABLES.into_iter().filter(|(name, _)| *name != missing).collect();
        let programs = Programs::new(&[("spin", SPIN)]);
        programs.run("deploy/akamai/deploy", &["tasks"], &variables).await.exits(1).says(missing);
        assert_eq!(programs.calls(), [""; 0]);
    }
}

/// Stands in for the download: an archive with a program that prints what it is called with.
const CURL: &str = r#"
while [ $# -gt 1 ]; do [ "$1" != --output ] || output=$2; shift; done
folder=$(mktemp -d)
printf '#!/bin/sh\necho "spin $*"\n' >"$folder/spin"
chmod 755 "$folder/spin"
case $1 in
  *.tar.gz) tar -C "$folder" --mtime=@0 -czf "$output" spin; sha256sum <"$output" | cut -d ' ' -f 1 >"$here/sum" ;;
  *checksums*) [ -e "$here/wrong" ] && echo 0 >"$here/sum"
    echo "$(cat "$here/sum" | sed 's/^0$/0000000000000000000000000000000000000000000000000000000000000000/')  spin-v4.1.0-linux-$(uname -m | sed 's/x86_64/amd64/').tar.gz" >"$output" ;;
esac
rm -r "$folder""#;

#[tokio::test]
async fn spin_is_installed_when_its_checksum_is_right() {
    for (wrong, code) in [(false, 0), (true, 1)] {
        let programs = Programs::new(&[("curl", CURL)]);
        if wrong {
            std::fs::write(programs.path("wrong"), "").expect("write a file");
        }
        let path = programs.path("github-path");
        let variables = [("GITHUB_PATH", path.to_str().expect("a plain path"))];
        let output = programs.run("deploy/install-spin", &["v4.1.0"], &variables).await.exits(code);
        let program = programs.path("home/.local/bin/spin");
        assert_eq!(program.exists(), !wrong);
        if !wrong {
            assert!(output.stdout.contains("spin plugins install aka --yes"), "{output:#?}");
            assert_eq!(
                programs.read("github-path").trim(),
                program.parent().expect("a folder").to_str().expect("a plain path")
            );
        }
    }
}
