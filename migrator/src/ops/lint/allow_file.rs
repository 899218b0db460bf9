//! `lint.allow`, beside the migrations: what is accepted in files that never change any more.
//!
//! A line names a file without its `.sql`, a rule and a reason, and counts for the whole file:
//! `V2__page_tasks_by_key allow require-concurrent-index-creation because the table is small`.
//! Empty lines and lines that begin with `#` say nothing.

use std::ops::Range;

use crate::migrations::directive::BEYOND_DATABASE;
use crate::migrations::{File, Migrations};
use crate::ops::lint::allow::{UNUSED, read_allowance};
use crate::ops::lint::finding::Finding;

const UNKNOWN_FILE: &str = "unknown-file";
const UNKNOWN_LINE: &str = "unknown-line";
const FORM: &str = "write `V1__what_it_does allow RULE because REASON`";

#[derive(Debug, Default)]
pub(crate) struct AllowFile<'a> {
    file: Option<&'a File>,
    lines: Vec<Line>,
    mistakes: Vec<Finding>,
}

#[derive(Debug)]
struct Line {
    /// With its `.sql`.
    file: String,
    rule: String,
    place: Range<usize>,
    used: bool,
}

impl<'a> AllowFile<'a> {
    pub(crate) fn of(migrations: &'a Migrations) -> Self {
        let Some(file) = migrations.allowances() else { return Self::default() };
        let mut allow_file = Self { file: Some(file), ..Self::default() };
        let mut start = 0;
        for line in file.sql.split_inclusive('\n') {
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                let from = start + line.len() - line.trim_start().len();
                allow_file.read(migrations, file, text, from..from + text.len());
            }
            start += line.len();
        }
        allow_file
    }

    fn read(&mut self, migrations: &Migrations, file: &File, text: &str, place: Range<usize>) {
        let mut mistake = |rule: &str, message| {
            self.mistakes.push(Finding::at(file, place.clone(), rule, message).help(FORM));
        };
        let (stem, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let Some(rest) = rest.trim_start().strip_prefix("allow ") else {
            return mistake(UNKNOWN_LINE, "this line cannot be understood".to_owned());
        };
        let name = format!("{stem}.sql");
        if migrations.source(&name).is_none() {
            return mistake(UNKNOWN_FILE, format!("there is no `{name}`"));
        }
        match read_allowance(rest) {
            Ok(rule) => {
                self.lines.push(Line { file: name, rule: rule.to_owned(), place, used: false });
            }
            Err((rule, message)) => mistake(rule, message),
        }
    }

    /// True if a rule is accepted in a file. Marks the line as used.
    pub(crate) fn allows(&mut self, file: &str, rule: &str) -> bool {
        let line = self.lines.iter_mut().find(|line| line.file == file && line.rule == rule);
        line.map(|line| line.used = true).is_some()
    }

    /// Mistakes in the lines, in order, after every finding was checked.
    pub(crate) fn mistakes(self, looked_through: impl Fn(&str) -> bool) -> Vec<Finding> {
        let Some(file) = self.file else { return Vec::new() };
        let unused = self.lines.into_iter().filter(|line| !line.used && looked_through(&line.file));
        // Shadow databases read these.
        let unused = unused.filter(|line| line.rule != BEYOND_DATABASE);
        let unused = unused.map(|Line { file: name, rule, place, .. }| {
            let message = format!("`{rule}` finds nothing more in `{name}`");
            Finding::at(file, place, UNUSED, message).help("take the line out")
        });
        let mut mistakes: Vec<Finding> = self.mistakes.into_iter().chain(unused).collect();
        mistakes.sort_by_key(|finding| finding.bytes.start);
        mistakes
    }
}
