//! The statements of a script: where each begins and ends.

use super::lexer::{Token, next_token};
use super::{Statement, Unsupported};

/// Number of words of a statement that are kept.
const WORDS: usize = 4;

/// Splits a script at its semicolons. Empty statements are left out, as PostgreSQL leaves them out.
pub(crate) fn statements(script: &str) -> Vec<Statement> {
    let mut splitter = Splitter::default();
    let mut at = 0;
    while at < script.len() {
        let (kind, end) = next_token(script, at);
        splitter.take(kind, at, &script[at..end]);
        at = end;
    }
    splitter.finished.extend(splitter.current);
    splitter.finished
}

#[derive(Default)]
struct Splitter {
    finished: Vec<Statement>,
    current: Option<Statement>,
    parentheses: usize,
    body: Body,
    /// The last token if it was a word, in upper case; else empty.
    previous: String,
    /// Position of the last token if it was a backslash.
    backslash: Option<usize>,
}

/// Position in relation to the body of an SQL function.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Body {
    #[default]
    Outside,
    /// Before the first token of a statement of the body, where `end` is the body's. Elsewhere it
    /// ends a `case`, or is a label.
    AtStart,
    InStatement,
}

impl Splitter {
    fn take(&mut self, kind: Token, start: usize, text: &str) {
        match kind {
            Token::Space => return,
            Token::Semicolon if self.parentheses == 0 && self.body == Body::Outside => {
                self.finished.extend(self.current.take());
                self.previous.clear();
                return;
            }
            Token::Semicolon | Token::Word | Token::Other => {}
        }
        let end = start + text.len();
        let statement = self.current.get_or_insert_with(|| Statement {
            start,
            end,
            words: Vec::new(),
            standard_stream: None,
            meta_command: None,
        });
        statement.end = end;
        let word = match kind {
            Token::Word => text.to_ascii_uppercase(),
            Token::Space | Token::Semicolon | Token::Other => String::new(),
        };
        // In parentheses, all of these words are names.
        let outermost = self.parentheses == 0;
        self.body = match (self.body, word.as_str()) {
            (Body::Outside, "ATOMIC")
                if outermost && self.previous == "BEGIN" && statement.creates_routine() =>
            {
                Body::AtStart
            }
            (Body::Outside, _) => Body::Outside,
            (Body::AtStart, "END") if outermost => Body::Outside,
            (Body::AtStart | Body::InStatement, _) if outermost && kind == Token::Semicolon => {
                Body::AtStart
            }
            (Body::AtStart | Body::InStatement, _) => Body::InStatement,
        };
        // What psql executes itself. Elsewhere a backslash can be half of a string, by other settings.
        if let Some(backslash) = self.backslash.take()
            && backslash + 1 == start
            && (kind == Token::Word || matches!(text, "\\" | "!" | "?" | "."))
        {
            statement.meta_command.get_or_insert(backslash);
        }
        self.backslash = (text == "\\").then_some(start);
        match (text, word.as_str()) {
            ("(", _) => self.parentheses += 1,
            (")", _) => self.parentheses = self.parentheses.saturating_sub(1),
            // PostgreSQL takes both words for both directions.
            (_, "STDIN" | "STDOUT") if outermost && self.previous == "FROM" => {
                statement.standard_stream = Some(Unsupported::StandardInput);
            }
            (_, "STDIN" | "STDOUT") if outermost && self.previous == "TO" => {
                statement.standard_stream = Some(Unsupported::StandardOutput);
            }
            _ => {}
        }
        if kind == Token::Word && statement.words.len() < WORDS {
            statement.words.push(word.clone());
        }
        self.previous = word;
    }
}

impl Statement {
    fn creates_routine(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["CREATE", "FUNCTION" | "PROCEDURE", ..]
                | ["CREATE", "OR", "REPLACE", "FUNCTION" | "PROCEDURE", ..]
        )
    }
}
