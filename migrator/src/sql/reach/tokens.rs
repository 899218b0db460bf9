//! The tokens of a script, as squawk's parser reads them, without white space and comments.

use squawk_syntax::ast::{AstNode as _, Literal};
use squawk_syntax::{SourceFile, SyntaxElement, SyntaxKind, SyntaxToken};

/// Stands for the part of a text that is not constant. PostgreSQL reads it as a letter.
pub(super) const GAP: char = '\u{fffc}';

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name without quotes, in upper case.
    Word(String),
    /// A name in quotes.
    Name(String),
    /// The text of a string.
    Text(Text),
    Symbol(char),
    /// A word that is not constant.
    Gap,
    /// A number, or something else that plays no role.
    Other,
}

/// A string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// Where the text begins in the script, if it is written there character by character.
    pub(super) inside: Option<usize>,
}

/// A token and its byte offset.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) start: usize,
}

pub(super) fn tokens(sql: &str) -> Vec<Placed> {
    let root = SourceFile::parse(sql).syntax_node();
    let tokens = root.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    tokens.filter(|token| !token.kind().is_trivia()).map(|token| placed(&token)).collect()
}

fn placed(token: &SyntaxToken) -> Placed {
    let start = usize::from(token.text_range().start());
    let text = token.text();
    let token = match token.kind() {
        SyntaxKind::STRING
        | SyntaxKind::ESC_STRING
        | SyntaxKind::UNICODE_ESC_STRING
        | SyntaxKind::NATIONAL_STRING
        | SyntaxKind::DOLLAR_QUOTED_STRING => {
            let value = value(text);
            let inside = text.find(&value).map(|offset| start + offset);
            Token::Text(Text { text: value, inside })
        }
        kind if kind.is_keyword() || kind == SyntaxKind::IDENT => {
            let after_mark = text.strip_prefix("U&").or_else(|| text.strip_prefix("u&"));
            match after_mark.unwrap_or(text).strip_prefix('"') {
                Some(name) => {
                    let name = name.strip_suffix('"').unwrap_or(name).replace("\"\"", "\"");
                    Token::Name(if after_mark.is_some() {
                        // The escapes are those of a string.
                        value(&format!("U&'{}'", name.replace('\'', "''")))
                    } else {
                        name
                    })
                }
                None if text.contains(GAP) => Token::Gap,
                None => Token::Word(text.to_ascii_uppercase()),
            }
        }
        _ => match text.chars().next() {
            Some(symbol) if text.len() == symbol.len_utf8() => Token::Symbol(symbol),
            _ => Token::Other,
        },
    };
    Placed { token, start }
}

/// The text that a string stands for; an unterminated one stands for itself.
fn value(string: &str) -> String {
    let select = SourceFile::parse(&format!("select {string}")).syntax_node();
    let literal = select.descendants().find_map(Literal::cast);
    literal.and_then(|literal| literal.string_value()).unwrap_or_else(|| string.to_owned())
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }

    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        matches!(self, Self::Word(own) if words.contains(&own.as_str()))
    }

    pub(super) fn is_symbol(&self, symbol: char) -> bool {
        *self == Self::Symbol(symbol)
    }

    /// The name of an object, as PostgreSQL stores it.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.to_ascii_lowercase()),
            Self::Name(name) => Some(name.clone()),
            _ => None,
        }
    }
}
