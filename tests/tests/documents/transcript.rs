//! The commands of a document, run one after the other in one shell.
//!
//! - A block of `sh` must succeed.
//! - In a block of `console`, a line that begins with `$ ` is a command, which a backslash continues. It
//!   must print what is below it, but for numbers that differ from run to run.
//! - A comment `<!-- run … -->`, which readers do not see, prepares what follows, as a block of `sh`.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::Stdio;

use regex::Regex;
use tests::workspace;
use tokio::process::Command;

/// What differs from run to run, and what stands for it in the comparison.
const VOLATILE: &[(&str, &str)] = &[
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?", "TIME"),
    (r"(?m)^date: .*$", "date: TIME"),
    (r"\b[0-9a-f]{32}\b", "ID"),
    (r#""[0-9]+-[0-9]{16}""#, "ETAG"),
    (r"cursor=[A-Za-z0-9_-]+", "cursor=CURSOR"),
    (r"(?m)^note +cold start: .*\n", ""),
    (r"\b[0-9]+(\.[0-9]+)? ms\b", "N ms"),
    (r"\b[0-9]+\.[0-9]+\b", "N"),
    // Of the health report: the server at hand.
    (r"(?m)^(server|connecting|connections|round trip|size) .*$", "$1"),
    // The width of columns.
    (r"  +", " "),
];

/// A document, and what its commands run with.
pub(crate) struct Transcript {
    path: &'static str,
    text: String,
    /// Words of the document, and what stands for them in this run.
    words: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, String)>,
}

/// A part of the document for the shell.
struct Step {
    line: usize,
    script: String,
    /// Where the output of a command of a `console` block is.
    output: Option<Range<usize>>,
}

impl Transcript {
    pub(crate) fn read(path: &'static str) -> Self {
        let text = std::fs::read_to_string(workspace().join(path)).expect("read a document");
        Self { path, text, words: Vec::new(), variables: Vec::new() }
    }

    pub(crate) fn stands_for(mut self, word: &'static str, real: &str) -> Self {
        self.words.push((word, real.to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Panics where a command does not do what the document says, unless that is to be updated.
    pub(crate) async fn run(self, folder: &Path, prelude: &str) {
        let steps = steps(&self.text);
        let printed = self.execute(&steps, folder, prelude).await;
        let mut updated = self.text.clone();
        let mut differences = String::new();
        for (step, actual) in steps.iter().zip(&printed).rev() {
            let Some(output) = &step.output else { continue };
            let expected = &self.text[output.clone()];
            if comparable(expected) != comparable(actual) {
                updated.replace_range(output.clone(), actual);
                let _ = writeln!(
                    differences,
                    "{}:{}: {}\nthe document has:\n{expected}\nit prints:\n{actual}",
                    self.path, step.line, step.script
                );
            }
        }
        if std::env::var_os("TASKIE_UPDATE_DOCS").is_some() {
            std::fs::write(workspace().join(self.path), updated).expect("write a document");
        } else {
            let update = "TASKIE_UPDATE_DOCS=1 cargo test --test documents";
            assert!(differences.is_empty(), "{differences}to take the new output: `{update}`");
        }
    }

    /// What each step prints, as it would stand in the document.
    async fn execute(&self, steps: &[Step], folder: &Path, prelude: &str) -> Vec<String> {
        let mut script = format!("exec 2>&1\n{prelude}\n");
        for Step { script: step, output, .. } in steps {
            let step =
                self.words.iter().fold(step.clone(), |step, (word, real)| step.replace(word, real));
            let _ = match output {
                Some(_) => writeln!(script, "{step}\nprintf '\\0'"),
                None => writeln!(script, "set -e\n{step}\nset +e\nprintf '\\0'"),
            };
        }
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        // What `cargo test` says about this crate would make the Cargo of a document build again.
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        command.env_remove("MIGRATOR_DIR").envs(self.variables.iter().map(|(n, v)| (n, v)));
        let output = command.output().await.expect("run bash");
        let text = String::from_utf8(output.stdout).expect("text").replace('\r', "");
        let text = self.words.iter().fold(text, |text, (word, real)| text.replace(real, word));
        let mut printed: Vec<String> = text.split('\0').map(trim_lines).collect();
        let rest = printed.pop().unwrap_or_default();
        assert_eq!(
            printed.len(),
            steps.len(),
            "{}:{}: failed:\n{rest}",
            self.path,
            steps.get(printed.len()).map_or(0, |step| step.line)
        );
        printed
    }
}

/// The commands of a document, in their order.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut block = None;
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let end = start + line.len();
        let content = line.trim_end();
        match block {
            None => {
                block = match content {
                    "```sh" | "<!-- run" => Some(("sh", content)),
                    "```console" => Some(("console", content)),
                    _ if content.starts_with("```") => Some(("", content)),
                    _ => None,
                };
                if let Some(("sh", _)) = block {
                    steps.push(Step { line: number + 1, script: String::new(), output: None });
                }
            }
            Some((_, "<!-- run")) if content == "-->" => block = None,
            Some((_, fence)) if fence != "<!-- run" && content == "```" => block = None,
            Some(("sh", _)) => steps.last_mut().expect("a block").script.push_str(line),
            Some(("console", _)) => match (content.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    line: number + 1,
                    script: command.to_owned(),
                    output: Some(end..end),
                }),
                (None, Some(step)) if step.script.ends_with('\\') => {
                    step.script = format!("{}\n{content}", step.script);
                    step.output = Some(end..end);
                }
                (None, Some(Step { output: Some(output), .. })) => output.end = end,
                (None, _) => panic!("line {}: output without a command", number + 1),
            },
            Some(_) => {}
        }
        start = end;
    }
    steps
}

/// Without blanks at the ends of lines, and with one line end at the end.
fn trim_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" }
}

fn comparable(text: &str) -> String {
    VOLATILE.iter().fold(trim_lines(text), |text, (pattern, word)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *word).into_owned()
    })
}
