//! What a statement reaches, by its first words.

use super::Reach;
use super::tokens::{Placed, Token};

/// The first words of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It stays within the database, as far as its first words say.
    Within,
    Beyond(Reach),
    /// The words that decide are not constant.
    Unknown,
}

/// `tokens` begin with the statement, and may go on after it.
pub(super) fn verdict(tokens: &[Placed]) -> Verdict {
    let at = |index: usize| tokens.get(index).map_or(&Token::Other, |placed| &placed.token);
    let Token::Word(verb) = at(0) else {
        return match at(0) {
            Token::Gap | Token::Symbol('%') => Verdict::Unknown,
            _ => Verdict::Within,
        };
    };
    match verb.as_str() {
        "CREATE" | "ALTER" | "DROP" => object(at(1), at(2)),
        "REASSIGN" => Verdict::Beyond(Reach::Owned),
        "GRANT" => grant(tokens, "TO"),
        "REVOKE" => grant(tokens, "FROM"),
        "COMMENT" => shared(at(2)),
        "SECURITY" => {
            let on = tokens.iter().take(5).position(|placed| placed.token.is("ON"));
            on.map_or(Verdict::Within, |on| shared(at(on + 1)))
        }
        "COPY" => copy(tokens),
        "IMPORT" if at(1).is("FOREIGN") => Verdict::Beyond(Reach::ForeignSchema),
        _ => Verdict::Within,
    }
}

/// `create`, `alter` or `drop` of something.
fn object(kind: &Token, next: &Token) -> Verdict {
    let Token::Word(kind) = kind else {
        return match kind {
            Token::Gap | Token::Symbol('%') => Verdict::Unknown,
            _ => Verdict::Within,
        };
    };
    Verdict::Beyond(match kind.as_str() {
        // A user mapping is for a foreign server, and part of the database.
        "USER" if next.is("MAPPING") => return Verdict::Within,
        "ROLE" | "USER" | "GROUP" => Reach::Roles,
        "DATABASE" => Reach::Databases,
        "TABLESPACE" => Reach::Tablespaces,
        "SUBSCRIPTION" => Reach::Subscriptions,
        "SYSTEM" => Reach::Parameters,
        "OWNED" => Reach::Owned,
        _ => return Verdict::Within,
    })
}

/// `grant` and `revoke`: what is before `to` or `from` decides.
fn grant(tokens: &[Placed], receiver: &str) -> Verdict {
    for (index, placed) in tokens.iter().enumerate().skip(1) {
        if placed.token.is("ON") {
            let kind = tokens.get(index + 1).map(|placed| &placed.token);
            return match kind {
                Some(Token::Gap | Token::Symbol('%')) => Verdict::Unknown,
                Some(kind) if kind.is("PARAMETER") => Verdict::Beyond(Reach::Parameters),
                Some(kind) => shared(kind),
                None => Verdict::Within,
            };
        }
        if placed.token.is(receiver) {
            return Verdict::Beyond(Reach::Memberships);
        }
        if placed.token.is_symbol(';') {
            break;
        }
    }
    Verdict::Unknown
}

/// The kind of object that a statement is about.
fn shared(kind: &Token) -> Verdict {
    match kind {
        Token::Gap | Token::Symbol('%') => Verdict::Unknown,
        kind if kind.is("ROLE") => Verdict::Beyond(Reach::Roles),
        kind if kind.is("DATABASE") => Verdict::Beyond(Reach::Databases),
        kind if kind.is("TABLESPACE") => Verdict::Beyond(Reach::Tablespaces),
        kind if kind.is("SUBSCRIPTION") => Verdict::Beyond(Reach::Subscriptions),
        _ => Verdict::Within,
    }
}

/// `copy`: a program, or a file that is written. Files that are read are no matter here.
fn copy(tokens: &[Placed]) -> Verdict {
    let mut depth = 0_usize;
    for pair in tokens.windows(2) {
        let (token, next) = (&pair[0].token, &pair[1].token);
        match token {
            Token::Symbol('(') => depth += 1,
            Token::Symbol(')') => depth = depth.saturating_sub(1),
            Token::Symbol(';') => break,
            _ if depth > 0 => {}
            token if token.is_one_of(&["TO", "FROM"]) && next.is("PROGRAM") => {
                return Verdict::Beyond(Reach::Program);
            }
            token if token.is("TO") && !next.is_one_of(&["STDOUT", "STDIN"]) => {
                return Verdict::Beyond(Reach::ServerFile);
            }
            _ => {}
        }
    }
    Verdict::Within
}
