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
    Manifest::parse(Source::new("spin.toml", text), PathBuf::from("/app"))
}

/// Checks the error after a text in `GOOD` is replaced by another.
#[track_caller]
fn check_error(from: &str, to: &str, expected: &str) {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from:?} is not there");
    let error = parse(&text).err().expect("an error").to_string();
    assert!(error.starts_with(expected), "{error:?} is not {expected:?}");
}

#[test]
fn a_manifest_is_read() {
    let manifest = parse(GOOD).expect("manifest");
    assert_eq!(manifest.name, "taskie");
    assert_eq!(manifest.routes.len(), 1, "the private route is not public");
    assert_eq!(manifest.routes[0].pattern, "/...");
    assert_eq!(manifest.variables["database_url"].default, None);
    assert_eq!(manifest.variables["pool_size"].default.as_deref(), Some("10"));
    let api = &manifest.components["api"];
    assert_eq!(api.source, Path::new("/app/target/api.wasm"));
    assert!(api.key_value_store);
    let build = api.build.as_ref().expect("build");
    assert_eq!(build.commands, ["cargo build"]);
    assert_eq!(build.workdir, Path::new("/app/api"));
}

#[test]
fn what_is_not_supported_is_refused_by_name_and_position() {
    for (from, to, expected) in [
        (
            "[component.api]\n",
            "[component.api]\nsqlite_databases = [\"default\"]\n",
            "spin.toml:21:1: `sqlite_databases` is not supported by `local`: expected one of `source`, ",
        ),
        (
            "source = \"target/api.wasm\"",
            "source = { url = \"https://x\", digest = \"y\" }",
            "spin.toml:21:10: a `source` that is a table is not supported by `local`",
        ),
        (
            "route = \"/...\"",
            "route = \"/...\"\nstatic_response = { body = \"x\" }",
            "spin.toml:14:1: `static_response` is not supported by `local`: ",
        ),
        (
            "component = \"api\"",
            "component = { source = \"x.wasm\" }",
            "spin.toml:14:13: a component inside a trigger is not supported by `local`",
        ),
        (
            "route = \"/...\"",
            "route = \":id\"",
            "spin.toml:13:9: a route with `:name`, or `*` before its end, is not supported by `local`",
        ),
        (
            "[[trigger.http]]\nroute = {",
            "[[trigger.redis]]\nroute = {",
            "spin.toml:16:11: `redis` is not supported by `local`: expected `http`",
        ),
        (
            "watch = [\"src\"]",
            "environment = { A = \"b\" }",
            "spin.toml:31:1: `environment` is not supported by `local`: ",
        ),
        ("version = \"0.1.0\"", "tool = 1", "spin.toml:6:1: `tool` is not supported by `local`: "),
        (
            "[\"default\"]",
            "[\"default\", \"sessions\"]",
            "spin.toml:23:32: the key-value store `sessions` is not supported by `local`",
        ),
    ] {
        check_error(from, to, expected);
    }
}

#[test]
fn mistakes_are_reported_with_their_position() {
    for (from, to, expected) in [
        (
            "spin_manifest_version = 2",
            "spin_manifest_version = 1",
            "spin.toml:2:25: `spin_manifest_version` must be 2",
        ),
        (
            "{ default = \"10\" }",
            "{ secret = true }",
            "spin.toml:10:1: variable `pool_size` must be either required or have a default",
        ),
        (
            "{ default = \"10\" }",
            "{ required = true, default = \"1\" }",
            "spin.toml:10:1: variable `pool_size` must be either required or have a default",
        ),
        (
            "\"{{ database_url }}\"",
            "\"{{ missing }}\"",
            "spin.toml:26:16: unknown variable `missing`",
        ),
        (
            "\"{{ database_url }}\"",
            "\"{{ database_url\"",
            "spin.toml:26:16: unmatched '{{' in template",
        ),
        (
            "component = \"api\"",
            "component = \"web\"",
            "spin.toml:14:13: there is no component `web`",
        ),
        (
            "route = { private = true }",
            "route = \"/...\"",
            "spin.toml:17:9: route `/...` is given twice",
        ),
        ("name = \"taskie\"", "name = taskie", "spin.toml:5:8: "),
        ("version = \"0.1.0\"", "authors = \"me\"", "spin.toml:6:11: invalid type: string \"me\""),
    ] {
        check_error(from, to, expected);
    }
}

#[test]
fn an_identifier_is_one_on_spin_too() {
    for (from, to) in [
        ("pool_size =", "poolSize ="),
        ("pool_size =", "pool_2 ="),
        ("pool_size =", "_size ="),
        ("pool_size =", "pool-size ="),
        ("component.api", "component.my_api"),
        ("component.api", "component.Api"),
        ("component.api", "component.2api"),
    ] {
        let error = parse(&GOOD.replace(from, to)).err().expect(to).to_string();
        assert!(error.contains(" is not an identifier"), "{error}");
    }
}

/// Spin checks templates of hosts with the defaults, whatever values the variables get.
#[test]
fn an_allowed_host_is_checked_where_it_is_written() {
    for host in ["127.0.0.1:5432", "", "postgres://db:{{ pool_size }}0000000"] {
        let host = format!("[\"{host}\"]");
        check_error("[\"postgres://*.neon.tech:5432\"]", &host, "spin.toml:22:27: `");
    }
    let given_later = "[\"postgres://{{ database_url }}:5432\", \"postgres://db:{{ pool_size }}\"]";
    assert!(parse(&GOOD.replacen("[\"postgres://*.neon.tech:5432\"]", given_later, 1)).is_ok());
}

#[test]
fn triggers_are_required() {
    let text = "spin_manifest_version = 2\napplication = { name = \"app\" }\n";
    let error = parse(text).err().expect("an error").to_string();
    assert!(error.ends_with("missing field `trigger`"), "{error}");
}
