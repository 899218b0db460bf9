//! One spelling for what PostgreSQL prints in two.
//!
//! `status in ('a', 'b')` on a `varchar` is printed as a cast of an array, and that, read again, as
//! an array of casts. Who restored a dump has the second, and it means the same.

use std::ops::Range;

use super::quoting::{Piece, pieces};

const BEGIN: &str = "ARRAY[";

/// The same expression, with casts of arrays as arrays of casts.
pub(super) fn normalize(sql: &str) -> String {
    let mut text = sql.to_owned();
    let mut from = 0;
    while let Some((range, replacement)) = find_cast(&text, from) {
        from = range.start + BEGIN.len();
        text.replace_range(range, &replacement);
    }
    text
}

/// The first cast of an array that begins at or after a place, and how it reads as an array of casts.
fn find_cast(text: &str, from: usize) -> Option<(Range<usize>, String)> {
    let plain = without_quoted(text);
    let starts = plain.match_indices(BEGIN).map(|(start, _)| start);
    starts.filter(|start| *start >= from).find_map(|start| {
        let (elements, end) = elements(&plain, start + BEGIN.len())?;
        // Some expressions are printed with all their parentheses: `(ARRAY[…])::text[]`.
        let has_parentheses = plain[..start].ends_with('(') && plain[end..].starts_with(")::");
        let cast = end + usize::from(has_parentheses);
        let length = plain[cast..].strip_prefix("::")?.find("[]")?;
        let kind = &text[cast + 2..cast + 2 + length];
        let is_type = |character: char| character.is_alphanumeric() || "_. ".contains(character);
        if !plain[cast + 2..cast + 2 + length].chars().all(is_type) {
            return None;
        }
        let casts: Vec<String> = elements
            .into_iter()
            .map(|element| {
                let simple = is_simple(&plain[element.clone()]) && !has_parentheses;
                let element = &text[element];
                let dimensions = if element.starts_with(BEGIN) { "[]" } else { "" };
                if simple || !dimensions.is_empty() && !has_parentheses {
                    format!("{element}::{kind}{dimensions}")
                } else {
                    format!("({element})::{kind}{dimensions}")
                }
            })
            .collect();
        let start = start - usize::from(has_parentheses);
        Some((start..cast + 2 + length + 2, format!("{BEGIN}{}]", casts.join(", "))))
    })
}

/// The text with everything in quotes replaced, at the same length.
fn without_quoted(text: &str) -> String {
    let replaced = pieces(text).into_iter().map(|piece| match piece {
        Piece::Plain(text) => text.to_owned(),
        Piece::Quoted(text) => "q".repeat(text.len()),
    });
    replaced.collect()
}

/// The elements of an array that is not empty, and where it ends.
fn elements(plain: &str, start: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let mut elements = Vec::new();
    let mut depth = 0_usize;
    let mut begin = start;
    for (place, character) in plain[start..].char_indices() {
        let place = start + place;
        match character {
            ']' if depth == 0 => {
                elements.push(begin..place);
                return (begin < place).then_some((elements, place + 1));
            }
            ',' if depth == 0 => {
                elements.push(begin..place);
                begin = place + ", ".len();
            }
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// True for an expression that PostgreSQL casts without parentheses: a constant, a name or the call of
/// a function, cast or not.
fn is_simple(plain: &str) -> bool {
    let mut depth = 0_usize;
    let mut outer = String::new();
    for character in plain.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            other if depth == 0 => outer.push(other),
            _ => {}
        }
    }
    let is_word = |character: char| character.is_alphanumeric() || "_.$".contains(character);
    let (value, types) = outer.split_once("::").unwrap_or((&outer, ""));
    !plain.starts_with('(')
        && value.chars().all(is_word)
        && types.chars().all(|character| is_word(character) || ": []".contains(character))
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn both_spellings_become_one() {
        for (text, expected) in [
            (
                "CHECK (s::text = ANY (ARRAY['a'::character varying, 'it''s'::character varying]::text[]))",
                "CHECK (s::text = ANY (ARRAY['a'::character varying::text, 'it''s'::character varying::text]))",
            ),
            (
                "CHECK (s::text = ANY (ARRAY['a'::character varying::text]))",
                "CHECK (s::text = ANY (ARRAY['a'::character varying::text]))",
            ),
            (
                "(s = ANY (ARRAY['a'::varchar, NULL::varchar]::text[]))",
                "(s = ANY (ARRAY['a'::varchar::text, NULL::varchar::text]))",
            ),
            ("ARRAY[x, f(a, 'b]')]::text[]", "ARRAY[x::text, f(a, 'b]')::text]"),
            ("ARRAY[a || b, 'c'::t]::text[]", "ARRAY[(a || b)::text, 'c'::t::text]"),
            ("(ARRAY['a'::t, x])::text[]", "ARRAY[('a'::t)::text, (x)::text]"),
            ("ARRAY['a'::t]::\"My t\"[]", "ARRAY['a'::t::\"My t\"]"),
            ("'ARRAY[''a''::t]::text[]'::text", "'ARRAY[''a''::t]::text[]'::text"),
            ("ARRAY['a'::t]::u[] || ARRAY['b'::t]::u[]", "ARRAY['a'::t::u] || ARRAY['b'::t::u]"),
            (
                "ARRAY[ARRAY['a'::t], ARRAY['b'::t]]::u[]",
                "ARRAY[ARRAY['a'::t::u], ARRAY['b'::t::u]]",
            ),
            ("ARRAY[]::text[]", "ARRAY[]::text[]"),
        ] {
            assert_eq!(normalize(text), expected);
        }
    }
}
