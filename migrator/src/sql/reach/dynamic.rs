//! The constant parts of the text that a dynamic statement runs.

use super::tokens::{GAP, Placed, Token};

/// The text of an expression; what is not constant is a [`GAP`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) text: String,
    /// Where the text begins in the script, if it is one string written character by character.
    pub(super) inside: Option<usize>,
}

/// Folds an expression of texts: strings, `||`, `format`, `concat`, casts and parentheses.
pub(super) fn fold(tokens: &[Placed]) -> Folded {
    if let [Placed { token: Token::Text(only), .. }] = tokens {
        return Folded { text: only.text.clone(), inside: only.inside };
    }
    let mut text = String::new();
    for operand in split(tokens, Separator::Concatenation) {
        text += &fold_operand(operand);
    }
    Folded { text, inside: None }
}

fn fold_operand(tokens: &[Placed]) -> String {
    let [first, rest @ ..] = tokens else { return String::new() };
    match &first.token {
        Token::Text(text) => {
            let mut all = text.text.clone();
            // Strings on several lines are one; after `::` there is a type.
            for placed in rest {
                match &placed.token {
                    Token::Text(more) => all += &more.text,
                    _ => break,
                }
            }
            all
        }
        Token::Symbol('(') => fold(inside(tokens, 0)).text,
        Token::Word(function) if rest.first().is_some_and(|next| next.token.is_symbol('(')) => {
            let arguments = split(inside(tokens, 1), Separator::Comma);
            match function.as_str() {
                "FORMAT" => {
                    arguments.first().map(|form| format(&fold(form).text)).unwrap_or_default()
                }
                "CONCAT" => arguments.iter().map(|argument| fold(argument).text).collect(),
                "LOWER" | "UPPER" | "TRIM" | "BTRIM" | "RTRIM" | "LTRIM" => {
                    arguments.first().map(|argument| fold(argument).text).unwrap_or_default()
                }
                _ => GAP.to_string(),
            }
        }
        // `pg_catalog.format(…)`
        Token::Word(schema)
            if schema == "PG_CATALOG"
                && rest.first().is_some_and(|next| next.token.is_symbol('.')) =>
        {
            fold_operand(&rest[1..])
        }
        _ => GAP.to_string(),
    }
}

/// A format string with gaps for its arguments.
fn format(form: &str) -> String {
    let mut text = String::new();
    let mut characters = form.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        // A position, flags and a width may be before the kind.
        match characters.find(|c| !c.is_ascii_digit() && !matches!(c, '$' | '-' | '*')) {
            Some('%') => text.push('%'),
            _ => text.push(GAP),
        }
    }
    text
}

#[derive(Clone, Copy)]
enum Separator {
    Concatenation,
    Comma,
}

/// Splits at separators outside parentheses.
fn split(tokens: &[Placed], separator: Separator) -> Vec<&[Placed]> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut index) = (0_usize, 0, 0);
    let is = |index: usize, symbol| {
        tokens.get(index).is_some_and(|placed: &Placed| placed.token.is_symbol(symbol))
    };
    while index < tokens.len() {
        let width = match separator {
            Separator::Concatenation if is(index, '|') && is(index + 1, '|') => 2,
            Separator::Comma if is(index, ',') => 1,
            _ => 0,
        };
        if is(index, '(') {
            depth += 1;
        } else if is(index, ')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && width > 0 {
            parts.push(&tokens[start..index]);
            start = index + width;
            index += width - 1;
        }
        index += 1;
    }
    parts.push(&tokens[start.min(tokens.len())..]);
    parts
}

/// What is between the parenthesis at `open` and its partner.
fn inside(tokens: &[Placed], open: usize) -> &[Placed] {
    let end = end_of(tokens, open + 1, |_| false);
    &tokens[open + 1..end]
}

/// The end of an expression that begins at `start`: a semicolon, a closing parenthesis, or a token
/// that `ends` it, each outside parentheses.
pub(super) fn end_of(tokens: &[Placed], start: usize, ends: impl Fn(&Token) -> bool) -> usize {
    let mut depth = 0_usize;
    for (index, placed) in tokens.iter().enumerate().skip(start) {
        match &placed.token {
            Token::Symbol('(' | '[') => depth += 1,
            Token::Symbol(')' | ']') if depth == 0 => return index,
            Token::Symbol(')' | ']') => depth -= 1,
            Token::Symbol(';') => return index,
            token if depth == 0 && ends(token) => return index,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::fold;

    #[test]
    fn constant_parts_of_a_text_are_put_together() {
        for (expression, text) in [
            ("'create role x'", "create role x"),
            ("'cre' || 'ate role x'", "create role x"),
            ("('create ' || ('role' || ' x'))", "create role x"),
            ("format('create role %I login', name)", "create role \u{fffc} login"),
            ("pg_catalog.format('%1$s a%% %-10s', name)", "\u{fffc} a% \u{fffc}"),
            ("'alter role ' || quote_ident(name) || ' nologin'", "alter role \u{fffc} nologin"),
            ("concat('drop ', 'role ', name)", "drop role \u{fffc}"),
            ("'drop role x'::text", "drop role x"),
            ("e'drop\\nrole x'", "drop\nrole x"),
            ("statement", "\u{fffc}"),
        ] {
            assert_eq!(fold(&tokens(expression)).text, text, "{expression}");
        }
    }
}
