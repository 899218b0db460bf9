//! Rows that a script could not take along: the queries that find them, and their numbers in a database.

use tokio_postgres::Client;

use super::conversion::{TypeName, labels};
use crate::connect::session;
use crate::error::Error;
use crate::schema::catalog::quoting::{Piece, pieces, quote, split};
use crate::schema::catalog::render::{qualified, table_name};
use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};
use crate::schema::generate::names;

/// Names in queries are those of the main schema, as in the script.
const PREPARE: &str = "\
select pg_catalog.set_config('search_path',
                             pg_catalog.quote_ident(pg_catalog.current_schema()), true)";

/// Rows of a live database, and the query that finds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRows {
    /// The object that they are in the way of, as it will be.
    pub id: ObjectId,
    /// The problem, such as `more than 255 characters`.
    pub problem: String,
    /// Finds them; without a semicolon.
    pub query: String,
    /// Their number; none if the query fails on the live schema, as one with a new column does.
    pub count: Option<i64>,
    /// True if the script fails as long as there are any.
    pub blocks: bool,
}

/// The queries for all rows that can be in the way between two catalogs. Nothing is counted yet.
///
/// `zone` is that of the times without one.
pub(super) fn queries(from: &Catalog, to: &Catalog, zone: Option<&str>) -> Vec<FoundRows> {
    let mut found = Vec::new();
    for (id, object) in &to.objects {
        let old = from.objects.get(id);
        let has_rows = id.table.as_ref().is_some_and(|table| has_table(from, id, table));
        if !has_rows || old.is_some_and(|old| old.properties == object.properties) {
            continue;
        }
        if names_new_column(from, to, id, object) {
            continue;
        }
        match id.kind {
            Kind::Column => found.extend(of_column(id, old, object, [from, to], zone)),
            Kind::Constraint if is_new(old, object) => {
                found.extend(of_constraint(from, id, object));
            }
            Kind::Index if is_new(old, object) => found.extend(of_index(id, object)),
            _ => {}
        }
    }
    found
}

/// True of a part about a column that is added: every row has its default.
fn names_new_column(from: &Catalog, to: &Catalog, id: &ObjectId, object: &Object) -> bool {
    let definition = get(object, Property::Definition).unwrap_or_default();
    to.objects.keys().any(|column| {
        column.kind == Kind::Column
            && (&column.schema, &column.table) == (&id.schema, &id.table)
            && !from.objects.contains_key(column)
            && names(definition, &column.name)
    })
}

fn has_table(catalog: &Catalog, part: &ObjectId, table: &str) -> bool {
    let (schema, name) = (part.schema.clone(), table.to_owned());
    catalog.objects.contains_key(&ObjectId { schema, kind: Kind::Table, table: None, name })
}

fn is_new(old: Option<&Object>, object: &Object) -> bool {
    old.and_then(|old| get(old, Property::Definition)) != get(object, Property::Definition)
}

fn get(object: &Object, property: Property) -> Option<&str> {
    object.properties.get(&property).map(String::as_str)
}

fn rows(id: &ObjectId, problem: impl Into<String>, query: String) -> FoundRows {
    FoundRows { id: id.clone(), problem: problem.into(), query, count: None, blocks: true }
}

fn of_column(
    id: &ObjectId,
    old: Option<&Object>,
    new: &Object,
    catalogs: [&Catalog; 2],
    zone: Option<&str>,
) -> Vec<FoundRows> {
    let (table, column) = (table_name(id), quote(&id.name));
    let is_required = get(new, Property::NotNull).is_some();
    let Some(old) = old else {
        let fills_itself = [Property::Default, Property::Identity, Property::Generated];
        let is_filled = fills_itself.into_iter().any(|property| get(new, property).is_some());
        let no_value = || rows(id, "no value for the new column", format!("select * from {table}"));
        return (is_required && !is_filled).then(no_value).into_iter().collect();
    };
    let mut found = Vec::new();
    if is_required && get(old, Property::NotNull).is_none() {
        found.push(rows(id, "null", format!("select * from {table} where {column} is null")));
    }
    let (from, to) = (get(old, Property::Type), get(new, Property::Type));
    let (Some(from), Some(to)) = (from.filter(|from| Some(*from) != to), to) else {
        return found;
    };
    let (old, new) = (TypeName::parse(from), TypeName::parse(to));
    if let Some(length) = new.length().filter(|_| old.is_text()) {
        if old.length().is_none_or(|old| old > length) {
            found.push(rows(
                id,
                format!("more than {length} characters"),
                format!("select * from {table} where length({column}) > {length}"),
            ));
        }
    } else if let (Some(old), Some((least, most))) = (old.range(), new.range()) {
        if old.1 > most {
            found.push(rows(
                id,
                format!("not in the range of {to}"),
                format!("select * from {table} where {column} not between {least} and {most}"),
            ));
        }
    } else if let Some(labels) = labels(to, catalogs).filter(|_| old.is_text()) {
        found.push(rows(
            id,
            format!("not a label of {to}"),
            format!("select * from {table} where {column} not in ({labels})"),
        ));
    } else if let Some(zone) = zone.filter(|_| is_local_time(&old) && !is_local_time(&new)) {
        let zone = crate::sql::literal(zone);
        let there = format!("{column} at time zone {zone}");
        let again = |shift| format!("({there} {shift}) at time zone {zone}");
        found.push(FoundRows {
            blocks: false,
            ..rows(
                id,
                "a local time that exists twice or not at all, because the clock was changed",
                format!(
                    "select * from {table} where {column} <> {} or {column} in ({}, {})",
                    again("+ interval '0'"),
                    again("+ interval '1 hour'"),
                    again("- interval '1 hour'")
                ),
            )
        });
    }
    found
}

fn is_local_time(kind: &TypeName) -> bool {
    kind.base == "timestamp without time zone"
}

fn of_constraint(from: &Catalog, id: &ObjectId, object: &Object) -> Option<FoundRows> {
    let definition = get(object, Property::Definition)?;
    let table = table_name(id);
    if definition.ends_with(" NOT VALID") {
        return None;
    }
    if let Some(check) = definition.strip_prefix("CHECK ") {
        let (check, _) = parenthesized(check)?;
        let query = format!("select * from {table} where not ({check})");
        return Some(rows(id, "the check does not hold", query));
    }
    if let Some(key) = definition.strip_prefix("FOREIGN KEY ") {
        return orphans(from, id, key);
    }
    let keys = ["PRIMARY KEY ", "UNIQUE NULLS NOT DISTINCT ", "UNIQUE "];
    let key = keys.into_iter().find_map(|words| definition.strip_prefix(words))?;
    let nulls = definition.contains(" NULLS NOT DISTINCT ");
    Some(duplicates(id, &table, parenthesized(key)?.0, nulls, None))
}

/// `key` is the definition of a foreign key after its first words.
fn orphans(from: &Catalog, id: &ObjectId, key: &str) -> Option<FoundRows> {
    let (own, rest) = parenthesized(key)?;
    let (target, others) = rest.strip_prefix(" REFERENCES ")?.split_at(rest_of_name(rest)?);
    let (others, _) = parenthesized(others)?;
    let (own, others) = (top_level(own), top_level(others));
    let given: Vec<String> = own.iter().map(|column| format!("own.{column} is not null")).collect();
    let given = given.join(" and ");
    let parts = split(target);
    let (schema, name) = match &parts[..] {
        [name] => (None, name),
        [schema, name] => (Some(schema.clone()), name),
        _ => return None,
    };
    let table = table_name(id);
    let other = qualified(schema.as_deref(), name);
    let part = ObjectId { schema, kind: Kind::Column, table: None, name: String::new() };
    let query = if has_table(from, &part, name) {
        let pairs =
            own.iter().zip(&others).map(|(own, other)| format!("other.{other} = own.{own}"));
        let pairs: Vec<String> = pairs.collect();
        format!(
            "select * from {table} as own where {given} and not exists (select from {other} as other where {})",
            pairs.join(" and ")
        )
    } else {
        format!("select * from {table} as own where {given}")
    };
    Some(rows(id, format!("no row of {other} has this key"), query))
}

/// Where the name of a table ends, in a text that begins with ` REFERENCES `; counted after these words.
fn rest_of_name(text: &str) -> Option<usize> {
    let text = text.strip_prefix(" REFERENCES ")?;
    plain_position(text, |character, _| character == '(')
}

fn of_index(id: &ObjectId, object: &Object) -> Option<FoundRows> {
    let definition = get(object, Property::Definition)?.strip_prefix("CREATE UNIQUE INDEX ")?;
    let (columns, rest) = parenthesized(definition.split_once(" USING btree ")?.1)?;
    let columns: Vec<String> = top_level(columns)
        .iter()
        .map(|column| {
            let words = [" NULLS FIRST", " NULLS LAST", " DESC"];
            words.iter().fold((*column).to_owned(), |column, word| column.replace(word, ""))
        })
        .collect();
    let nulls = rest.contains("NULLS NOT DISTINCT");
    let condition = rest.split_once(" WHERE ").map(|(_, condition)| condition);
    Some(duplicates(id, &table_name(id), &columns.join(", "), nulls, condition))
}

fn duplicates(
    id: &ObjectId,
    table: &str,
    columns: &str,
    nulls_are_equal: bool,
    condition: Option<&str>,
) -> FoundRows {
    let mut conditions: Vec<String> =
        condition.map(|text| format!("({text})")).into_iter().collect();
    if !nulls_are_equal {
        let given = top_level(columns).into_iter().map(|column| format!("{column} is not null"));
        conditions.extend(given);
    }
    let filter = if conditions.is_empty() {
        String::new()
    } else {
        format!(" where {}", conditions.join(" and "))
    };
    let query = format!(
        "select {columns}, count(*) from {table}{filter} group by {columns} having count(*) > 1"
    );
    rows(id, "not unique", query)
}

/// The inside of the parentheses with which a text begins, and what follows them.
fn parenthesized(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('(')?;
    let end = plain_position(inside, |character, depth| character == ')' && depth == 0)?;
    Some((&inside[..end], &inside[end + 1..]))
}

/// The parts between commas that are in no parentheses.
fn top_level(list: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = list;
    while let Some(end) = plain_position(rest, |character, depth| character == ',' && depth == 0) {
        parts.push(rest[..end].trim());
        rest = &rest[end + 1..];
    }
    parts.push(rest.trim());
    parts
}

/// Position of the first character outside of quotes for which `is_it` holds, which also gets the number of
/// open parentheses and brackets before it.
fn plain_position(text: &str, is_it: impl Fn(char, usize) -> bool) -> Option<usize> {
    let (mut place, mut depth) = (0, 0_usize);
    for piece in pieces(text) {
        let (Piece::Plain(own) | Piece::Quoted(own)) = piece;
        if let Piece::Plain(own) = piece {
            for (index, character) in own.char_indices() {
                if is_it(character, depth) {
                    return Some(place + index);
                }
                match character {
                    '(' | '[' => depth += 1,
                    ')' | ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        place += own.len();
    }
    None
}

/// Counts the rows in a live database, read-only, each query in a transaction of its own: some may fail, because
/// they name what the script creates.
pub(super) async fn count(client: &mut Client, found: &mut [FoundRows]) -> Result<(), Error> {
    for rows in found {
        let refused = |source| Error::Query { action: "count rows", source };
        let transaction = session::begin_read_only(client).await.map_err(refused)?;
        transaction.query_typed_one(PREPARE, &[]).await.map_err(refused)?;
        let query = format!("select count(*) from ({}) as found", rows.query);
        match transaction.query_typed_one(&query, &[]).await {
            Ok(row) => rows.count = Some(row.get(0)),
            // The server has refused this query, and takes others.
            Err(error) if error.as_db_error().is_some() => rows.count = None,
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{of_constraint, of_index, parenthesized, top_level};
    use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};

    #[test]
    fn definitions_come_apart() {
        assert_eq!(parenthesized("(a ')' (b)) c"), Some(("a ')' (b)", " c")));
        assert_eq!(parenthesized("a"), None);
        assert_eq!(top_level("a, lower(b, c), \"d,e\""), ["a", "lower(b, c)", "\"d,e\""]);
    }

    #[test]
    fn definitions_become_queries() {
        let id = |kind, table: Option<&str>, name: &str| ObjectId {
            schema: None,
            kind,
            table: table.map(str::to_owned),
            name: name.to_owned(),
        };
        let mut catalog = Catalog::default();
        catalog.objects.insert(id(Kind::Table, None, "users"), Object::default());
        for (kind, definition, query) in [
            (Kind::Constraint, "CHECK (a > 0) NO INHERIT", "select * from t where not (a > 0)"),
            (
                Kind::Constraint,
                "FOREIGN KEY (a, b) REFERENCES users(x, y) ON DELETE CASCADE",
                "select * from t as own where own.a is not null and own.b is not null and not exists (select from users as other where other.x = own.a and other.y = own.b)",
            ),
            (
                Kind::Constraint,
                "FOREIGN KEY (a) REFERENCES \"New (one)\"(x)",
                "select * from t as own where own.a is not null",
            ),
            (
                Kind::Constraint,
                "UNIQUE (a, b)",
                "select a, b, count(*) from t where a is not null and b is not null group by a, b having count(*) > 1",
            ),
            (
                Kind::Constraint,
                "UNIQUE NULLS NOT DISTINCT (a)",
                "select a, count(*) from t group by a having count(*) > 1",
            ),
            (
                Kind::Index,
                "CREATE UNIQUE INDEX i ON t USING btree (lower(a) DESC, b) WHERE c",
                "select lower(a), b, count(*) from t where (c) and lower(a) is not null and b is not null group by lower(a), b having count(*) > 1",
            ),
        ] {
            let mut object = Object::default();
            object.properties.insert(Property::Definition, definition.to_owned());
            let id = id(kind, Some("t"), "x");
            let found = match kind {
                Kind::Index => of_index(&id, &object),
                _ => of_constraint(&catalog, &id, &object),
            };
            assert_eq!(found.map(|rows| rows.query).as_deref(), Some(query), "{definition}");
        }
    }
}
