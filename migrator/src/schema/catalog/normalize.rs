//! One spelling for what PostgreSQL prints in two.
//!
//! `status in ('a', 'b')` on a `varchar` is printed as a cast of an array, and that, read again, as
//! an array of casts. Who restored a dump has the second, and it means the same.

use super::quoting::{Piece, pieces};

/// The same expression, with casts of arrays of literals as arrays of casts.
pub(super) fn normalize(sql: &str) -> String {
    let mut text = sql.to_owned();
    let mut from = 0;
    while let Some((start, end, replacement)) = find_cast(&text, from) {
        text.replace_range(start..end, &replacement);
        from = start + "ARRAY[".len();
    }
    text
}

/// The first cast of an array of literals after a place: where it begins and ends, and how it reads
/// as an array of casts.
fn find_cast(text: &str, from: usize) -> Option<(usize, usize, String)> {
    const BEGIN: &str = "ARRAY[";
    let mut from = from;
    loop {
        let start = find_plain(text, from, BEGIN)?;
        from = start + BEGIN.len();
        let Some((elements, end)) = literals(text, from) else { continue };
        let Some((kind, length)) = array_cast(&text[end..]) else { continue };
        let casts: Vec<String> =
            elements.iter().map(|element| format!("{element}::{kind}")).collect();
        return Some((start, end + length, format!("{BEGIN}{}]", casts.join(", "))));
    }
}

/// Position of a text outside of quotes.
fn find_plain(text: &str, from: usize, wanted: &str) -> Option<usize> {
    let mut place = 0;
    for piece in pieces(text) {
        let (Piece::Plain(own) | Piece::Quoted(own)) = piece;
        if let Piece::Plain(own) = piece {
            let found = own.match_indices(wanted).map(|(index, _)| place + index);
            if let Some(found) = found.into_iter().find(|found| *found >= from) {
                return Some(found);
            }
        }
        place += own.len();
    }
    None
}

/// The elements of an array, if each is a literal with its type, and where the array ends.
fn literals(text: &str, start: usize) -> Option<(Vec<&str>, usize)> {
    let mut elements = Vec::new();
    let mut place = start;
    loop {
        let own = &text[place..];
        if !own.starts_with('\'') {
            return None;
        }
        // A doubled quote ends one literal and begins the next, which is as good.
        let mut length = 0;
        while own[length..].starts_with('\'') {
            length += own[length + 1..].find('\'')? + 2;
        }
        let end = length + own[length..].find([',', ']'])?;
        let kind = own[length..end].strip_prefix("::")?;
        if !is_type(kind) {
            return None;
        }
        elements.push(&own[..end]);
        place += end;
        if text[place..].starts_with(']') {
            return Some((elements, place + 1));
        }
        place += 1 + text[place + 1..].find(|character| character != ' ')?;
    }
}

/// The type in a cast such as `::text[]`, which the text begins with, and how long that is.
fn array_cast(text: &str) -> Option<(&str, usize)> {
    let kind = text.strip_prefix("::")?;
    let end = kind.find("[]")?;
    is_type(&kind[..end]).then(|| (&kind[..end], 2 + end + 2))
}

fn is_type(text: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_. ".contains(character);
    !text.is_empty() && text.chars().all(plain)
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
            ("ARRAY[x, 'b'::text]::text[]", "ARRAY[x, 'b'::text]::text[]"),
            ("'ARRAY[''a''::t]::text[]'::text", "'ARRAY[''a''::t]::text[]'::text"),
            ("ARRAY['a'::t]::u[] || ARRAY['b'::t]::u[]", "ARRAY['a'::t::u] || ARRAY['b'::t::u]"),
            ("ARRAY[]::text[]", "ARRAY[]::text[]"),
        ] {
            assert_eq!(normalize(text), expected);
        }
    }
}
