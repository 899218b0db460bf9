//! Links between documents, and from comments and messages to documents.

use std::fs;
use std::path::{Path, PathBuf};

use tests::workspace;

/// Folders of other projects, and of files that are not in the repository.
const SKIPPED: &[&str] =
    &["target", ".git", ".taskie", ".spin", "node_modules", "swagger-ui-dist-5.35.0"];

#[test]
fn every_link_leads_to_a_file_or_a_heading() {
    let mut broken = Vec::new();
    for document in files(&["md"]) {
        let text = fs::read_to_string(&document).expect("read a document");
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => document.clone(),
                path => document.parent().expect("a folder").join(path),
            };
            let leads_there = match anchor {
                "" => file.exists(),
                anchor => fs::read_to_string(&file)
                    .is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor)),
            };
            if !leads_there {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_document_that_code_names_exists() {
    let mut missing = Vec::new();
    for file in files(&["rs", "toml", "sql", "json"]) {
        let text = fs::read_to_string(&file).expect("read a file");
        for (start, _) in text.match_indices("docs/") {
            let name: &str = text[start..].split(|c: char| !is_of_a_path(c)).next().unwrap_or("");
            let name = name.trim_end_matches('.');
            if has_extension(Path::new(name), &["md"]) && !workspace().join(name).exists() {
                missing.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Where the paths in the documents begin.
const ROOTS: &[&str] = &["", "api/src", "migrator/src", "migrator/src/bin/migrator"];

#[test]
fn every_path_of_code_in_a_document_exists() {
    let mut missing = Vec::new();
    for name in ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "migrations/README.md"] {
        let text = fs::read_to_string(workspace().join(name)).expect("read a document");
        for path in prose(&text).flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let is_path = path.chars().all(is_of_a_path) && !path.starts_with(['/', '.']);
            let is_source = path.contains('/') && has_extension(Path::new(path), &["rs"]);
            let exists = || ROOTS.iter().any(|root| workspace().join(root).join(path).exists());
            if is_path && (is_source || path.ends_with('/')) && !exists() {
                missing.push(format!("{name}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn is_of_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/.-_".contains(c)
}

/// The repository's files with these extensions.
fn files(extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![workspace().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("read a folder") {
            let path = entry.expect("an entry").path();
            if SKIPPED.iter().any(|name| path.ends_with(name)) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if has_extension(&path, extensions) {
                found.push(path);
            }
        }
    }
    found
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension))
}

/// The targets of `[…](target)` that are in this repository.
fn links(text: &str) -> Vec<&str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://"))
        .collect()
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The lines that are not in a block of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}
