//! Checks that every command and option in README.md and the chapters exists.

use std::path::{Path, PathBuf};
use std::{fs, iter};

use clap::{CommandFactory as _, Parser as _};

use super::Cli;

/// Folder of chapters in which an option without a command belongs to this program.
const MANUAL: &str = "docs/migrator";

#[test]
fn documented_commands_and_options_exist() {
    let mut checked = 0;
    let mut wrong = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).expect("read a document");
        let in_manual = path.to_string_lossy().contains(MANUAL);
        let mut in_code = false;
        for (index, line) in text.lines().enumerate() {
            in_code ^= line.starts_with("```");
            let problems: Vec<String> = if in_code {
                commands(line).inspect(|_| checked += 1).filter_map(problem).collect()
            } else {
                let spans = line.split('`').skip(1).step_by(2);
                spans.flat_map(|span| unknown(span, in_manual)).collect()
            };
            let place = format!("{}:{}", path.display(), index + 1);
            wrong.extend(problems.iter().map(|problem| format!("{place}: {problem}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 0, "no command was found");
}

fn documents() -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let mut found = ["README.md", "CONTRIBUTING.md", "migrations/README.md"]
        .map(|name| repository.join(name))
        .to_vec();
    for folder in ["docs", MANUAL] {
        let entries = fs::read_dir(repository.join(folder)).expect("read a folder");
        found.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found
}

/// The arguments of each `migrator` on a line of code.
fn commands(line: &str) -> impl Iterator<Item = Vec<&str>> {
    let line = line.split(" #").next().unwrap_or_default();
    line.split(['|', '>', '&', ';']).filter_map(|part| {
        let (before, arguments) = part.split_once("migrator ")?;
        let arguments = match before.trim() {
            "" | "$" | "- run:" => arguments,
            before if before.ends_with("--bin") => arguments.strip_prefix("-- ")?,
            _ => return None,
        };
        Some(arguments.split_whitespace().map(|word| word.trim_matches('\'')).collect())
    })
}

/// Error of the program for these arguments.
fn problem(arguments: Vec<&str>) -> Option<String> {
    let error = Cli::try_parse_from(iter::once("migrator").chain(arguments)).err()?;
    error.use_stderr().then(|| error.to_string())
}

/// The commands and options in a piece of code within a sentence that do not exist.
fn unknown(span: &str, in_manual: bool) -> Vec<String> {
    let mut program = Cli::command();
    // Adds the global options to each command.
    program.build();
    let mut words = span.split_whitespace().peekable();
    let names_program = words.next_if_eq(&"migrator").is_some();
    let first = words.peek().copied().unwrap_or_default();
    let command = program.find_subcommand(first);
    let is_name = first.starts_with(|c: char| c.is_ascii_lowercase());
    if names_program && is_name && command.is_none() {
        return vec![format!("there is no `migrator {first}`")];
    }
    if command.is_none() && !(in_manual && first.starts_with("--")) {
        return Vec::new();
    }
    let commands = match command {
        Some(command) => vec![command],
        None => program.get_subcommands().collect(),
    };
    let arguments = commands.iter().flat_map(|command| command.get_arguments());
    let known: Vec<&str> = arguments.filter_map(clap::Arg::get_long).collect();
    words
        .filter_map(|word| word.trim_matches(['[', ']']).strip_prefix("--"))
        .filter(|option| !option.is_empty() && !known.contains(option))
        .map(|option| format!("`{span}`: there is no `--{option}`"))
        .collect()
}
