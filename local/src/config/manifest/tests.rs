use super::*;

const GOOD: &str = r#"
spin_manifest_version = 2

[application]
name = "taskie"
version = "0.1.0"

[variables]
database_url = { required = true, secret = true }
pool_size = { default = "10" }

[[trigger.http]]
route = "/..."
component = "api"

[[trigger.http]]
route = { private = true }
component = "api"

[component.api]
source = "target/api.wasm"
allowed_outbound_hosts = ["postgres://*.neon.tech:5432"]
key_value_stores = ["default"]

[component.api.variables]
database_url = "{{ database_url }}"

[component.api.build]
command = "cargo build"
workdir = "api"
watch = ["src"]
"#;

fn parse(text: &str) -> Result<Manifest, Error> {
    Manifest::parse(&Source::of("spin.toml", text), PathBuf::from("/app"))
}

fn refusal(text: &str) -> String {
    parse(text).expect_err("a refusal").to_string()
}

#[test]
fn a_manifest_is_read() {
    let manifest = parse(GOOD).expect("manifest");
    assert_eq!(manifest.name, "taskie");
    assert_eq!(manifest.routes.len(), 1, "the private route is not public");
    assert_eq!(manifest.routes[0].pattern, "/...");
    let database_url = &manifest.variables["database_url"];
    assert_eq!((database_url.default.as_deref(), database_url.secret), (None, true));
    let api = &manifest.components["api"];
    assert_eq!(api.source, Path::new("/app/target/api.wasm"));
    assert_eq!(api.key_value_stores, ["default"]);
    let build = api.build.as_ref().expect("build");
    assert_eq!(build.commands, ["cargo build"]);
    assert_eq!(build.workdir, Path::new("/app/api"));
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_position() {
    let table = [
        (
            "[component.api]\n",
            "[component.api]\nsqlite_databases = [\"default\"]\n",
            "spin.toml:21:1: `component.api.sqlite_databases`",
        ),
        (
            "[component.api]\n",
            "[component.api]\nenvironment = { A = \"b\" }\n",
            "spin.toml:21:1: `component.api.environment`",
        ),
        (
            "source = \"target/api.wasm\"",
            "source = { url = \"https://x\", digest = \"y\" }",
            "spin.toml:21:10: `component.api.source.url`",
        ),
        (
            "route = \"/...\"",
            "route = \"/...\"\nstatic_response = { body = \"x\" }",
            "spin.toml:14:1: `trigger.http.static_response`",
        ),
        (
            "route = \"/...\"",
            "route = \"/x/:id\"",
            "spin.toml:13:9: a route with a `:name` segment",
        ),
        (
            "[[trigger.http]]\nroute = {",
            "[[trigger.redis]]\nroute = {",
            "spin.toml:16:11: `trigger.redis`",
        ),
        (
            "watch = [\"src\"]",
            "environment = { A = \"b\" }",
            "spin.toml:31:1: `component.api.build.environment`",
        ),
        ("version = \"0.1.0\"", "tool = 1", "spin.toml:6:1: `application.tool`"),
    ];
    for (from, to, expected) in table {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{expected}");
        assert_eq!(
            refusal(&text),
            format!("{expected} is not supported by this runner; use `spin up`")
        );
    }
}

#[test]
fn mistakes_are_reported_with_their_position() {
    let table = [
        (
            "spin_manifest_version = 2",
            "spin_manifest_version = 1",
            "spin.toml:2:25: `spin_manifest_version` must be 2",
        ),
        (
            "{ default = \"10\" }",
            "{ secret = true }",
            "spin.toml:10:1: `variables.pool_size` must either be `required` or have a `default`",
        ),
        (
            "{ default = \"10\" }",
            "{ required = true, default = \"1\" }",
            "spin.toml:10:1: `variables.pool_size` is required, so it cannot have a default",
        ),
        (
            "pool_size =",
            "poolSize =",
            "spin.toml:10:1: variable \"poolSize\": invalid character 'S'. Variable names may contain only lower-case letters, numbers, and underscores.",
        ),
        (
            "\"{{ database_url }}\"",
            "\"{{ nobody }}\"",
            "spin.toml:26:16: `component.api.variables.database_url`: unknown variable \"nobody\"",
        ),
        (
            "[\"default\"]",
            "[\"default\", \"sessions\"]",
            "spin.toml:23:32: `component.api.key_value_stores`: this runner supports the store `default` only, not `sessions`; use `spin up`",
        ),
        (
            "component = \"api\"",
            "component = \"web\"",
            "spin.toml:14:13: there is no `component.web`",
        ),
        (
            "route = { private = true }",
            "route = \"/...\"",
            "spin.toml:17:9: route `/...` is given twice",
        ),
        ("name = \"taskie\"", "name = taskie", "spin.toml:5:8: "),
    ];
    for (from, to, expected) in table {
        let refusal = refusal(&GOOD.replacen(from, to, 1));
        assert!(refusal.starts_with(expected), "{refusal:?} is not {expected:?}");
    }
}
