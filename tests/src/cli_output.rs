//! The output of a command-line program, and assertions about it.

use std::process::Output;

use serde_json::Value;

/// Exit code and output of a program that ended. Assertions can be chained.
#[derive(Debug)]
pub struct CliOutput {
    code: Option<i32>,
    /// Standard output: data.
    pub stdout: String,
    /// Standard error: messages.
    pub stderr: String,
}

#[expect(clippy::return_self_not_must_use, reason = "the last assertion of a chain ends it")]
impl CliOutput {
    /// Panics unless both outputs are UTF-8.
    pub fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text on standard output"),
            stderr: String::from_utf8(output.stderr).expect("text on standard error"),
        }
    }

    /// Panics, showing all output, unless the program exited with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// True if the program exited with `code`.
    pub fn has_exited_with(&self, code: i32) -> bool {
        self.code == Some(code)
    }

    /// Panics unless standard error contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }

    /// Panics if either output contains `text`.
    #[track_caller]
    pub fn does_not_print(self, text: &str) -> Self {
        let printed = format!("{}{}", self.stdout, self.stderr);
        assert!(!printed.contains(text), "`{text}` is in:\n{printed}");
        self
    }

    /// Standard output, which must be one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one JSON document: {error}\n{self:#?}"))
    }
}
