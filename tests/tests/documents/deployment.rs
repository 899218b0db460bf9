//! The pages of `docs/deploy/`, from top to bottom: this repository's scripts, the migrator, PostgreSQL and the API are
//! real, the programs of others are stand-ins that accept what those accept and nothing else. What would change
//! this machine changes a folder.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;
use tests::{App, TestDatabase, workspace};

use crate::transcript::Transcript;

/// Programs of others. A release is made of the built migrator and the application's manifests.
const STAND_INS: &str = r#"
set -u
unexpected() { echo "$*: this is not how it is called"; exit 1; }
mkdir -p bin
cat >bin/stand-in <<'END'
#!/bin/bash
set -u
name=${0##*/}
case "$name $*" in
  "gh release download v0.1.0 --dir release --pattern migrator-0.1.0-image.tar") echo image >release/migrator-0.1.0-image.tar ;;
  "gh release download v0.1.0 --dir release "*)
    cd release
    mkdir taskie-0.1.0 "migrator-0.1.0-$(uname -m)-linux"
    cp "$REPOSITORY"/spin.toml "$REPOSITORY"/spin-wasip2.toml taskie-0.1.0
    printf '#!/bin/sh\nexec %s "$@"\n' "$REPOSITORY/target/debug/migrator" >"migrator-0.1.0-$(uname -m)-linux/migrator"
    chmod 755 migrator-*/migrator
    for folder in taskie-0.1.0 migrator-0.1.0-*; do tar -czf "$folder.tar.gz" "$folder"; rm -r "$folder"; done
    echo image >migrator-0.1.0-image.tar
    sha256sum * >SHA256SUMS
    rm migrator-0.1.0-image.tar ;;
  "skopeo copy --all oci-archive:"*" docker://registry.example.com/migrator:0.1.0") file=${3#oci-archive:}; [ -s "$file" ] ;;
  "spin aka login") [ -n "$SPIN_AKA_ACCESS_TOKEN" ] ;;
  "spin aka app status --app-name tasks") exit 1 ;;
  "spin aka app deploy --no-confirm --from release/taskie/spin.toml --create-name tasks --variable @"*) last=${@: -1}; [ -s "${last#@}" ] ;;
  "spin registry push --from "*/spin-wasip2.toml" registry.example.com/taskie:0.1.0-wasip2") [ -e "$5" ] || [ -e "$4" ] ;;
  "kubectl create namespace taskie" | "kubectl --namespace taskie port-forward service/taskie 3000:80") ;;
  "kubectl --namespace taskie apply --filename https://"*"/spin-operator.shim-executor.yaml") touch executor ;;
  "kubectl --namespace taskie apply "*) [ -e executor ] ;;
  "kubectl --namespace taskie create secret generic taskie"*) grep -q '^database_url=postgres' "${@: -1}" ;;
  "kubectl kustomize deploy/spinkube/overlays/production") cat deploy/spinkube/overlays/production/kustomization.yaml
    printf 'kind: SpinApp\n  namespace: taskie\n  image: taskie:1\n---\n' ;;
  "kubectl --namespace taskie get job "*) echo Complete ;;
  "kubectl --namespace taskie get deployment "*) echo taskie:1 ;;
  "kubectl --namespace taskie "* | "kubectl apply --kustomize deploy/spinkube/overlays/production") ;;
  "npx --yes neonctl@"*" branches list "*) echo '[]' ;;
  "npx --yes neonctl@"*" branches create "* | "npx --yes neonctl@"*" branches delete "*) ;;
  "npx --yes neonctl@"*" connection-string "*) echo "$PREVIEW_DATABASE_URL" ;;
  "apt-get update" | "nginx -t") ;;
  "apt-get install --yes "*) echo "$*" >>installed ;;
  "certbot certonly --nginx --domain tasks.example.com --deploy-hook systemctl reload nginx") grep -q python3-certbot-nginx installed ;;
  "systemctl daemon-reload" | "systemctl enable --now taskie@3000 taskie@3001" | "systemctl reload nginx") ;;
  "systemctl restart taskie@"*) ;;
  "logrotate --debug "*) [ -s "$2" ] ;;
  *) echo "$name $*: this is not how it is called"; exit 1 ;;
esac
END
chmod 755 bin/stand-in
for name in gh spin skopeo kubectl npx apt-get certbot nginx systemctl logrotate; do ln -sf stand-in "bin/$name"; done
export PATH=$PWD/bin:$PATH HOME=$PWD/home
mkdir -p home/.local/bin etc/systemd/system etc/nginx/conf.d etc/logrotate.d usr/local/bin opt
touch home/.local/bin/spin
# Spin is not downloaded; that script has a test of its own.
deploy/install-spin() { [ "$*" = 4.1.0 ] || unexpected "$*"; }
"#;

#[tokio::test]
async fn the_commands_for_akamai_run() {
    run("docs/deploy/akamai.md").await;
}

#[tokio::test]
async fn the_commands_for_spinkube_run() {
    run("docs/deploy/spinkube.md").await;
}

#[tokio::test]
async fn the_commands_for_a_host_of_ones_own_run() {
    run("docs/deploy/host.md").await;
}

/// Runs a page in a folder with the scripts of this repository. The database that it migrates is empty; the service
/// that it tries at its end is another one.
async fn run(path: &'static str) {
    let migrator = tokio::task::spawn_blocking(tests::migrator).await.expect("build the migrator");
    let database = TestDatabase::create().await;
    let preview = TestDatabase::create().await;
    let role = database.role("taskie_api").await;
    let app = App::start_with(|_| {}).await;
    let folder = TempDir::new().expect("create a folder");
    let here = folder.path().to_str().expect("a plain path").to_owned();
    for name in ["deploy", "migrations"] {
        symlink(workspace().join(name), folder.path().join(name)).expect("link a folder");
    }
    fs::create_dir(folder.path().join("tmp")).expect("create a folder");
    Transcript::read(path)
        .stands_for(
            "postgresql://owner:…@ep-cool-rain-123456.eu-central-1.aws.neon.tech/neondb?sslmode=require",
            &database.url().to_connection_string(),
        )
        .stands_for("https://tasks.fwf.app", &app.url())
        .stands_for("https://tasks.example.com", &app.url())
        .stands_for("http://127.0.0.1:3000", &app.url())
        .stands_for("$(openssl rand -hex 32)", app.jwt_secret())
        .stands_for("at-least-32-bytes-of-your-own-choice", app.jwt_secret())
        .stands_for("API_ROLE=taskie_api", &format!("API_ROLE={}", role.name))
        .stands_for("deploy/host/rollout /opt", "CURRENT=/opt/taskie/current deploy/host/rollout /opt")
        .stands_for("/etc/", &format!("{here}/etc/"))
        .stands_for("/opt/", &format!("{here}/opt/"))
        .stands_for("/usr/local/bin/", &format!("{here}/usr/local/bin/"))
        .variable("REPOSITORY", workspace().to_str().expect("a plain path"))
        .variable("MIGRATOR", migrator.to_str().expect("a plain path"))
        .variable("PREVIEW_DATABASE_URL", &preview.url().to_connection_string())
        .variable("PORTS", &app.address().port().to_string())
        .variable("TMPDIR", &format!("{here}/tmp"))
        .run(folder.path(), STAND_INS)
        .await;
    let left = fs::read_dir(folder.path().join("tmp")).expect("read a folder").count();
    assert_eq!(left, 0, "temporary files are left behind");
}
