//! `docs/operations.md` explains whatever the service and `migrator health` can report: the lists come from
//! the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::Value;
use tests::workspace;

/// Fails of the service, and of clients where many at once are a reason to look.
const ALERTS: [i64; 7] = [401, 403, 408, 429, 500, 503, 504];

/// The document, with one space for each line break, without the marks of code.
fn document() -> String {
    let text = fs::read_to_string(workspace().join("docs/operations.md")).expect("read a document");
    collapse(&text.replace('`', ""))
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_explained(what: &str, texts: &BTreeSet<String>) {
    assert!(texts.len() > 2, "{what}: only {texts:?} were found in the code");
    let document = document();
    let missing: Vec<_> = texts.iter().filter(|text| !document.contains(*text)).collect();
    assert!(missing.is_empty(), "{what} that docs/operations.md does not explain: {missing:#?}");
}

#[test]
fn every_problem_that_is_worth_an_alert_is_explained() {
    let text = fs::read_to_string(workspace().join("openapi.json")).expect("read a file");
    let mut problems = BTreeSet::new();
    collect_problems(&serde_json::from_str(&text).expect("JSON"), &mut problems);
    assert_explained("problems", &problems);
}

/// The status and type of each problem in the examples, such as `503 /problems/database-unavailable`.
fn collect_problems(value: &Value, found: &mut BTreeSet<String>) {
    if let (Some(kind), Some(status)) = (value["type"].as_str(), value["status"].as_i64())
        && kind.starts_with("/problems/")
        && ALERTS.contains(&status)
    {
        let is_misconfigured =
            kind == "/problems/misconfigured" || kind == "/problems/database-too-slow";
        // `/health/db` has another status for some.
        if !(status == 503 && is_misconfigured) {
            found.insert(format!("{status} {kind}"));
        }
    }
    match value {
        Value::Object(members) => {
            members.values().for_each(|member| collect_problems(member, found));
        }
        Value::Array(members) => members.iter().for_each(|member| collect_problems(member, found)),
        _ => {}
    }
}

#[test]
fn every_cause_in_the_log_is_explained() {
    let mut causes = BTreeSet::new();
    for (_, text) in sources("api/src") {
        causes.extend(errors_of(&text));
    }
    let error = read("api/src/error.rs");
    let cause = error.split("fn cause(&self)").nth(1).expect("the causes of a failure");
    let cause = cause.split("\n    }\n").next().unwrap_or_default();
    causes.extend(literals(cause));
    let problems = read("api/src/config/problems.rs");
    causes.extend(literals(problems.split("impl fmt::Display").nth(1).unwrap_or_default()).take(1));
    // Parts of a message about a variable, which the response names.
    causes.retain(|text| !text.contains("JSON Web Key Set") && !text.contains("private key in it"));
    assert_explained("causes", &causes);
}

/// The messages of `#[error("…")]`, without their placeholders.
fn errors_of(text: &str) -> impl Iterator<Item = String> {
    let pattern = Regex::new(r#"#\[error\(("(?:[^"\\]|\\.)*")"#).expect("a pattern");
    let found: Vec<_> = pattern
        .captures_iter(text)
        .flat_map(|found| literals(&found[1]).collect::<Vec<_>>())
        .collect();
    found.into_iter()
}

#[test]
fn every_warning_in_the_log_is_explained() {
    // What they say is in a variable.
    const ELSEWHERE: [&str; 3] =
        ["log::warn(&warning)", ".warn(warning)", "log::warn(&[missing, warning]"];
    let call = Regex::new(r"(?s)(?:log::|\.)warn\(.*?\)\s*\.await").expect("a pattern");
    let variable =
        Regex::new(r#"(?s)let warning =\s*(?:format!\(.*?\)|"[^"]*");\n"#).expect("a pattern");
    let mut warnings = BTreeSet::new();
    for (path, text) in sources("api/src") {
        let mut calls: Vec<_> = call.find_iter(&text).map(|found| found.as_str()).collect();
        calls.retain(|call| !ELSEWHERE.iter().any(|known| call.starts_with(known)));
        for call in
            calls.iter().copied().chain(variable.find_iter(&text).map(|found| found.as_str()))
        {
            let before = warnings.len();
            warnings.extend(literals(call).filter(|text| text.len() > 8));
            assert!(warnings.len() > before, "a warning without a text, in {path}: {call}");
        }
    }
    let health = read("api/src/health.rs");
    let constant =
        health.split("const NO_STATEMENT_TIMEOUT").nth(1).expect("the warning of health");
    warnings.extend(literals(&constant.replace('`', "")).take(1));
    assert_explained("warnings", &warnings);
}

#[test]
fn every_text_that_decides_about_another_attempt_is_explained() {
    let mut texts = BTreeSet::new();
    let retry = read("api/src/db/retry.rs");
    for constant in ["const PERMANENT", "const NOT_SENT"] {
        let list = retry.split(constant).nth(1).expect("a list of texts");
        texts.extend(literals(list.split("];").next().unwrap_or_default()));
    }
    let refusal = read("neon-url/src/refusal.rs");
    let list = refusal.split("const MESSAGES").nth(1).expect("Neon's messages");
    texts.extend(literals(list.split("];").next().unwrap_or_default()));
    assert!(texts.len() > 30, "{texts:?}");
    assert_explained("texts", &texts);
}

#[test]
fn every_warning_of_the_migrators_health_is_explained() {
    let pattern = Regex::new(r#"HealthWarning::new\(\s*"([a-z_]+)""#).expect("a pattern");
    let warnings = sources("migrator/src/ops/health")
        .flat_map(|(_, text)| {
            let found: Vec<_> =
                pattern.captures_iter(&text).map(|found| found[1].to_owned()).collect();
            found
        })
        .collect();
    assert_explained("warnings of `migrator health`", &warnings);
}

fn read(path: &str) -> String {
    without_tests(&fs::read_to_string(workspace().join(path)).expect("read a file"))
}

/// The sources in a folder, without their tests and comments: path and text.
fn sources(folder: &str) -> impl Iterator<Item = (String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("read a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("rs".as_ref()) && !is_test(&path) {
                let text = fs::read_to_string(&path).expect("read a file");
                found.push((path.display().to_string(), without_tests(&text)));
            }
        }
    }
    found.into_iter()
}

fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "openapi")
}

fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The longest part of each text in the code that has no placeholder.
fn literals(code: &str) -> impl Iterator<Item = String> {
    let literal = Regex::new(r#""((?:[^"\\]|\\.)*)""#).expect("a pattern");
    let placeholder = Regex::new(r"\{[^}]*\}").expect("a pattern");
    let texts: Vec<_> = literal
        .captures_iter(code)
        .filter_map(|found| {
            let parts = placeholder
                .split(found.get(1)?.as_str())
                .map(|part| collapse(&part.replace('`', "").replace("\\\"", "\"")));
            parts.max_by_key(String::len).filter(|part| part.len() > 3)
        })
        .collect();
    texts.into_iter()
}
