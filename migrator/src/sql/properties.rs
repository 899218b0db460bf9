//! Properties of every script: nothing panics, every byte belongs to one token, and statements are found again.

use property_cases::config;
use proptest::prelude::*;
use proptest::sample::select;

use super::lexer::{Token, next_token};
use super::{comments, is_terminated, literal, statements};

/// Pieces of SQL and of what only looks like it, in any order.
fn script() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            ";",
            "'",
            "\"",
            "$$",
            "$a$",
            "$1",
            "--",
            "/*",
            "*/",
            "\n",
            "\r",
            "\\",
            "e'",
            "E'\\'",
            "u&'",
            "b'1'",
            "(",
            ")",
            "begin",
            "atomic",
            "end",
            "case",
            "create function f()",
            "copy t from stdin",
            "commit",
            "é",
            "\u{a0}",
            "0x1e'",
        ])
        .prop_map(str::to_owned),
        "[a-z_]{1,6} ",
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat())
}

/// A statement with whatever can hide a semicolon.
fn statement() -> impl Strategy<Value = String> {
    let text = "[^\0]{0,8}";
    let piece = prop_oneof![
        text.prop_map(|text| literal(&text)),
        text.prop_map(|text| format!("\"{}\"", text.replace('"', "\"\""))),
        "[a-z;'\" \n]{0,8}".prop_map(|text| format!("$x${text}$x$")),
        "[a-z;'\" ]{0,8}".prop_map(|text| format!("/* {text} /* ; */ */")),
        "[a-z;'\" ]{0,8}".prop_map(|text| format!("-- {text}\n")),
        Just("(select 1)".to_owned()),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("select {} x", pieces.join(" , ")))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn tokens_cover_a_script_without_gaps(script in script()) {
        let mut at = 0;
        while at < script.len() {
            let (_, end) = next_token(&script, at);
            prop_assert!(end > at && script.is_char_boundary(end), "{} to {} of {:?}", at, end, script);
            at = end;
        }
        prop_assert_eq!(at, script.len());
    }

    #[test]
    fn statements_are_in_order_and_nothing_is_between_them(script in script()) {
        let mut at = 0;
        for statement in statements(&script) {
            prop_assert!(at <= statement.start && statement.start < statement.end);
            prop_assert!(!statement.text(&script).is_empty());
            is_nothing(&script, at, statement.start)?;
            at = statement.end;
            // No question about it panics.
            let _ = (statement.unsupported(), statement.sets("LOCK_TIMEOUT"));
        }
        is_nothing(&script, at, script.len())?;
        let _ = (is_terminated(&script), comments(&script));
    }

    #[test]
    fn statements_that_were_joined_are_found_again(parts in prop::collection::vec(statement(), 1..6)) {
        let script = parts.join(" ;\n") + " ;\n";
        let found: Vec<_> = statements(&script).iter().map(|one| one.text(&script).to_owned()).collect();
        prop_assert_eq!(found, parts);
        prop_assert!(is_terminated(&script));
    }

    #[test]
    fn a_literal_is_one_token(text in "[^\0]{0,20}") {
        let literal = literal(&text);
        let mut at = 0;
        while at < literal.len() {
            // A doubled quote is read as two texts in a row.
            let (kind, end) = next_token(&literal, at);
            prop_assert_eq!(kind, Token::Other);
            prop_assert!(literal[at..end].ends_with('\''), "{}", literal);
            at = end;
        }
    }
}

/// Only white space, comments and semicolons.
fn is_nothing(script: &str, from: usize, to: usize) -> Result<(), TestCaseError> {
    let mut at = from;
    while at < to {
        let (kind, end) = next_token(script, at);
        prop_assert!(matches!(kind, Token::Space | Token::Semicolon), "{:?}", &script[at..end]);
        at = end;
    }
    Ok(())
}
