//! `migrator lint`

mod allow_comments;
mod allow_file;
mod output;
mod rules;

use serde_json::Value;

use crate::support::folder::Folder;
use crate::support::program::run_with;

/// The findings in a folder: `FILE RULE LINE:COLUMN`.
async fn found_in(folder: &Folder) -> Vec<String> {
    let output = run_with(&[], &["lint", "--json", "--dir", folder.path()]).await;
    let document = output.json();
    let findings = document["findings"].as_array().expect("a list of findings");
    let output = output.exits(i32::from(!findings.is_empty()));
    assert_eq!(output.json()["command"], "lint");
    findings.iter().map(|finding| place(folder, finding)).collect()
}

fn place(folder: &Folder, finding: &Value) -> String {
    let text = |member: &str| finding[member].as_str().expect("a text").to_owned();
    let file = text("file");
    let file = file.strip_prefix(&format!("{}/", folder.path())).expect("the way to the file");
    format!("{file} {} {}:{}", text("rule"), finding["line"], finding["column"])
}

/// The findings in one script: `RULE LINE:COLUMN`.
async fn found(sql: &str) -> Vec<String> {
    let folder = Folder::new(&[("V1__x.sql", sql)]);
    let places = found_in(&folder).await;
    places.iter().map(|place| place.replace("V1__x.sql ", "")).collect()
}

/// The findings in an undo script.
async fn found_in_undo(sql: &str) -> Vec<String> {
    let folder = Folder::new(&[("V1__x.sql", ""), ("V1__x.down.sql", sql)]);
    let places = found_in(&folder).await;
    places.iter().map(|place| place.replace("V1__x.down.sql ", "")).collect()
}
