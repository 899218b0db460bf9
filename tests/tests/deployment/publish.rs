//! `.ci/release-notes`, `.ci/publish` and `deploy/fetch-release`, with stand-ins for the registry and GitHub.

use std::fs;
use std::process::Command;

use crate::programs::Programs;

const CHANGELOG: &str = "# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-28

### Added

- A thing.

## [1.1.0] - 2026-10-01

- An older thing.

[Unreleased]: https://example.com/compare/v1.2.0...HEAD
[1.2.0]: https://example.com/releases/v1.2.0
";

#[tokio::test]
async fn the_notes_of_a_version_are_its_section_of_the_changelog() {
    let programs = Programs::new(&[]);
    programs.write("CHANGELOG.md", CHANGELOG);
    let path = programs.work().join("CHANGELOG.md");
    let variables = [("CHANGELOG", path.to_str().expect("a plain path"))];
    for (version, notes) in
        [("1.2.0", "### Added\n\n- A thing.\n"), ("v1.1.0", "- An older thing.\n")]
    {
        let output = programs.run(".ci/release-notes", &[version], &variables).await.exits(0);
        assert_eq!(output.stdout, notes);
    }
    for version in ["1.3.0", "1.2", "Unreleased"] {
        programs
            .run(".ci/release-notes", &[version], &variables)
            .await
            .exits(1)
            .says("has no section");
    }
}

/// The registry's programs read a password from their standard input, and keep it in a file.
const LOGIN: &str = r#"
case "$*" in *login*) cat >"$here/password" ;; esac
case "${0##*/} $*" in
  "skopeo login"*) cp "$here/password" "${REGISTRY_AUTH_FILE:-$HOME/skopeo.json}" ;;
  "spin registry login"*)
    folder=${XDG_CONFIG_HOME:-$HOME/.config}/fermyon
    mkdir -p "$folder"
    cp "$here/password" "$folder/registry-auth.json" ;;
esac"#;

/// A release in a folder, as `.ci/release` makes it, but for what the files contain.
fn release(folder: &std::path::Path) {
    let script = r#"
mkdir -p taskie-1.2.0 "migrator-1.2.0-$(uname -m)-linux"
touch taskie-1.2.0/spin.toml taskie-1.2.0/spin-wasip2.toml migrator-1.2.0-image.tar
printf '#!/bin/sh\necho "migrator 1.2.0"\n' >"migrator-1.2.0-$(uname -m)-linux/migrator"
chmod 755 migrator-*/migrator
for name in taskie-1.2.0 "migrator-1.2.0-$(uname -m)-linux"; do tar -czf "$name.tar.gz" "$name"; rm -r "$name"; done
sha256sum * >SHA256SUMS"#;
    fs::create_dir_all(folder).expect("create a folder");
    let status = Command::new("sh").args(["-ec", script]).current_dir(folder).status();
    assert!(status.expect("run sh").success());
}

#[tokio::test]
async fn a_release_is_published_whole_and_no_argument_has_the_token() {
    let programs = Programs::new(&[("skopeo", LOGIN), ("spin", LOGIN), ("gh", "")]);
    programs.write("CHANGELOG.md", CHANGELOG);
    release(&programs.work().join("dist"));
    let (dist, changelog) = (programs.work().join("dist"), programs.work().join("CHANGELOG.md"));
    let variables = [
        ("DIST", dist.to_str().expect("a plain path")),
        ("CHANGELOG", changelog.to_str().expect("a plain path")),
        ("GH_TOKEN", "ghs_the-token"),
        ("GITHUB_REPOSITORY", "Example/Taskie"),
        ("GITHUB_ACTOR", "ann"),
    ];
    programs.run(".ci/publish", &["1.2.0"], &variables).await.exits(0).does_not_print("ghs_");
    let calls = programs.calls().join("\n");
    assert!(!calls.contains("ghs_"), "{calls}");
    assert_eq!(programs.read("password").trim(), "ghs_the-token");
    let kept = fs::read_dir(programs.path("home")).expect("read a folder").count();
    assert_eq!(kept, 0, "a login is left behind");
    for call in [
        "docker://ghcr.io/example/taskie/migrator:1.2.0",
        "ghcr.io/example/taskie/taskie:1.2.0",
        "ghcr.io/example/taskie/taskie:1.2.0-wasip2",
        "gh release create v1.2.0 --verify-tag --title 1.2.0 --notes-file ",
    ] {
        assert!(calls.contains(call), "no {call} in {calls}");
    }

    // A file that is not what was built is not published.
    let programs = Programs::new(&[("skopeo", LOGIN), ("spin", LOGIN), ("gh", "")]);
    fs::write(dist.join("migrator-1.2.0-image.tar"), "another one").expect("write a file");
    programs.run(".ci/publish", &["1.2.0"], &variables).await.exits(1);
    assert_eq!(programs.calls(), [""; 0]);
}

#[tokio::test]
async fn a_release_is_fetched_and_checked() {
    let download = r#"while [ "$1" != --dir ]; do shift; done; cp "$here"/work/published/* "$2""#;
    let programs = Programs::new(&[("gh", download)]);
    release(&programs.work().join("published"));
    let output = programs.run("deploy/fetch-release", &["1.2.0"], &[]).await.exits(0);
    assert!(output.stdout.contains("migrator 1.2.0"), "{output:#?}");
    assert!(programs.work().join("release/taskie/spin-wasip2.toml").exists());
    // One that was built here needs no download.
    let calls = programs.calls();
    programs.run("deploy/fetch-release", &["1.2.0", "published"], &[]).await.exits(0);
    assert!(programs.work().join("release/taskie/spin-wasip2.toml").exists());
    assert_eq!(programs.calls(), calls);

    let archive = programs.work().join("published/taskie-1.2.0.tar.gz");
    fs::write(archive, "another one").expect("write a file");
    programs.run("deploy/fetch-release", &["v1.2.0"], &[]).await.exits(1);
    assert!(!programs.work().join("release/taskie/spin.toml").exists());

    for version in ["1.2", "1.2.0; ls", "../1.2.0", ""] {
        let code = if version.is_empty() { 1 } else { 2 };
        programs.run("deploy/fetch-release", &[version], &[]).await.exits(code);
    }
}
