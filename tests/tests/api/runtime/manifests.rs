//! The manifests of the two builds: one application.

use tests::Component;
use toml::{Table, Value};

/// What the commands of the WASI 0.2 build have besides.
const OPTIONS: &str = " --target-dir target/wasip2 --no-default-features --features wasip2";

/// The manifest without the place and the command of each component, which are given apart.
fn read(component: Component) -> (Table, Vec<[String; 3]>) {
    let text = std::fs::read_to_string(component.manifest()).expect("read a manifest");
    let mut manifest: Table = text.parse().expect("parse a manifest");
    let mut builds = Vec::new();
    for (name, component) in manifest["component"].as_table_mut().expect("a table of components") {
        let mut take = |path: &[&str]| {
            let (last, folders) = path.split_last().expect("a path");
            let table = folders.iter().fold(&mut *component, |value, name| &mut value[*name]);
            let removed = table.as_table_mut().and_then(|table| table.remove(*last));
            removed.as_ref().and_then(Value::as_str).expect("a text").to_owned()
        };
        builds.push([name.clone(), take(&["source"]), take(&["build", "command"])]);
    }
    (manifest, builds)
}

#[test]
fn they_differ_in_how_the_components_are_built_and_in_nothing_else() {
    let (manifest, builds) = read(Component::Wasip3);
    let (other_manifest, other_builds) = read(Component::Wasip2);
    assert_eq!(manifest, other_manifest);
    assert_eq!(builds.len(), 2);
    let expected: Vec<_> = builds
        .into_iter()
        .map(|[name, source, command]| {
            let source = source.replacen("target/", "target/wasip2/", 1);
            [name, source, format!("{command}{OPTIONS}")]
        })
        .collect();
    assert_eq!(other_builds, expected);
}
