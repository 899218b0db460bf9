//! Quoting of names in SQL.

/// Words that cannot be a name without quotes somewhere, of PostgreSQL 14 to 18 together: all that
/// its `quote_ident` quotes.
const KEYWORDS: &str = " all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning right row select session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";

/// A name, in quotes where it needs them.
pub(crate) fn quote(name: &str) -> String {
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters
            .all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
        && !KEYWORDS.contains(&format!(" {name} "));
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// The names in a qualified name, such as `"My schema".tasks.title`, without their quotes.
pub(crate) fn split(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let last = names.len() - 1;
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => names[last].push('"'),
            '"' => quoted = !quoted,
            '.' if !quoted => names.push(String::new()),
            character => names[last].push(character),
        }
    }
    names
}

/// The schema, table and name of a column, as `Property::OwnedBy` has them.
pub(crate) fn split_column(text: &str) -> Option<(Option<String>, String, String)> {
    match <[String; 3]>::try_from(split(text)) {
        Ok([schema, table, column]) => Some((Some(schema), table, column)),
        Err(names) => {
            let [table, column] = <[String; 2]>::try_from(names).ok()?;
            Some((None, table, column))
        }
    }
}

/// A piece of SQL: quoted, in any kind of quotes, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Plain(&'a str),
    Quoted(&'a str),
}

/// Splits a text that PostgreSQL prints: identifiers and literals in quotes, bodies of functions in
/// dollar quotes, and everything else. It prints no comments outside of them, and doubles quotes
/// within.
pub(crate) fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some(start) = rest.find(['\'', '"', '$']) {
        let quote = &rest[start..=start];
        let opening = if quote == "$" { dollar_tag(&rest[start..]) } else { Some(quote) };
        let Some(opening) = opening else {
            // A parameter, or part of a name.
            pieces.push(Piece::Plain(&rest[..=start]));
            rest = &rest[start + 1..];
            continue;
        };
        let inside = start + opening.len();
        let end =
            rest[inside..].find(opening).map_or(rest.len(), |end| inside + end + opening.len());
        pieces.push(Piece::Plain(&rest[..start]));
        pieces.push(Piece::Quoted(&rest[start..end]));
        rest = &rest[end..];
    }
    pieces.push(Piece::Plain(rest));
    pieces.retain(|piece| *piece != Piece::Plain(""));
    pieces
}

/// `$function$`, where the text begins with such a thing.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let name = &text[1..end - 1];
    let is_name = name.chars().all(|character| character.is_alphanumeric() || character == '_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    is_name.then(|| &text[..end])
}

/// In lower case but for what is quoted: what PostgreSQL prints in upper case without quotes are
/// keywords.
pub(crate) fn lower(sql: &str) -> String {
    pieces(sql)
        .into_iter()
        .map(|piece| match piece {
            Piece::Plain(text) => text.to_ascii_lowercase(),
            Piece::Quoted(text) => text.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{lower, quote, split, split_column};

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (name, quoted) in [
            ("tasks", "tasks"),
            ("_t1", "_t1"),
            ("Tasks", "\"Tasks\""),
            ("1t", "\"1t\""),
            ("a b", "\"a b\""),
            ("a\"b", "\"a\"\"b\""),
            ("order", "\"order\""),
            ("name", "name"),
            ("", "\"\""),
        ] {
            assert_eq!(quote(name), quoted);
        }
    }

    #[test]
    fn qualified_names_come_apart() {
        assert_eq!(split("a.\"b.c\".\"d\"\"e\""), ["a", "b.c", "d\"e"]);
        assert_eq!(split_column("tasks.id"), Some((None, "tasks".to_owned(), "id".to_owned())));
        assert_eq!(split_column("id"), None);
    }

    #[test]
    fn only_keywords_become_lower_case() {
        for (text, expected) in [
            ("CHECK (\"Name\" <> 'It''s OK'::text)", "check (\"Name\" <> 'It''s OK'::text)"),
            (
                "AS $function$\nBEGIN $1 'X'; END\n$function$ X",
                "as $function$\nBEGIN $1 'X'; END\n$function$ x",
            ),
            ("SELECT $1 AS A$B FROM T", "select $1 as a$b from t"),
            ("E'\\\\' || 'A' || B", "e'\\\\' || 'A' || b"),
        ] {
            assert_eq!(lower(text), expected);
        }
    }
}
