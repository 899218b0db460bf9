//! PostgreSQL's tokens, as far as the end of a statement depends on them.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// White space or a comment.
    Space,
    Word,
    Semicolon,
    /// A string, a quoted identifier, a number, an operator.
    Other,
}

/// The token at `at` and the offset where it ends. An unterminated one reaches to the end.
pub(super) fn next_token(script: &str, at: usize) -> (Token, usize) {
    let rest = &script[at..];
    let to_end = script.len();
    let end_of = |offset: Option<usize>| offset.map_or(to_end, |offset| at + offset);
    let first = rest.chars().next().unwrap_or_default();
    match first {
        ';' => (Token::Semicolon, at + 1),
        '-' if rest.starts_with("--") => (Token::Space, end_of(rest.find(['\n', '\r']))),
        '/' if rest.starts_with("/*") => (Token::Space, end_of(end_of_comment(rest))),
        '\'' => (Token::Other, end_of(end_of_quoted(rest, '\'', false))),
        '"' => (Token::Other, end_of(end_of_quoted(rest, '"', false))),
        'e' | 'E' if rest[1..].starts_with('\'') => {
            (Token::Other, end_of(end_of_escape_string(rest)))
        }
        '$' => match dollar_tag(rest) {
            Some(tag) => {
                let end = rest[tag.len()..].find(tag).map(|offset| offset + 2 * tag.len());
                (Token::Other, end_of(end))
            }
            None => (Token::Other, at + 1),
        },
        space if space.is_whitespace() => {
            (Token::Space, end_of(rest.find(|c: char| !c.is_whitespace())))
        }
        letter if is_word_start(letter) => (Token::Word, end_of(rest.find(|c: char| !is_word(c)))),
        // Digits together with what follows, so that the `e'` of a malformed number does not begin
        // a string.
        digit if digit.is_ascii_digit() => (Token::Other, end_of(rest.find(|c: char| !is_word(c)))),
        other => (Token::Other, at + other.len_utf8()),
    }
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn is_word(c: char) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == '$'
}

/// Comments nest.
fn end_of_comment(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(offset) = text[at..].find(['/', '*']) {
        at += offset;
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// The end of a quoted text that begins `text`. A doubled quote is read as two texts in a row,
/// with the same result.
fn end_of_quoted(text: &str, quote: char, backslash_escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((offset, c)) = characters.next() {
        if c == '\\' && backslash_escapes {
            characters.next();
        } else if c == quote {
            return Some(offset + 1);
        }
    }
    None
}

/// The end of an escape string, which continues in the next line if that begins with a quote: there
/// backslashes escape as well.
fn end_of_escape_string(text: &str) -> Option<usize> {
    let mut end = 1;
    loop {
        end += end_of_quoted(&text[end..], '\'', true)?;
        let next = &text[end..];
        let continued = next.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
        let between = &next[..next.len() - continued.len()];
        // A doubled quote is seen as two texts here, too.
        if !continued.starts_with('\'') || !(between.is_empty() || between.contains(['\n', '\r'])) {
            return Some(end);
        }
        end += between.len();
    }
}

/// `$$` or `$name$` at the beginning.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let name = &text[1..end - 1];
    let starts_well = name.chars().next().is_none_or(is_word_start);
    (starts_well && name.chars().all(is_word)).then_some(&text[..end])
}
