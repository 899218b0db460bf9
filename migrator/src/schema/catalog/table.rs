//! Tables and their columns as SQL.

use std::fmt::Write as _;

use super::quoting::{Piece, lower, pieces, quote};
use super::render::{constraint, name, table_name, type_name};
use super::{Catalog, Kind, Object, ObjectId, Property, split_column};

/// The statement that creates a table with its columns and the given constraints. `settings` and
/// `comments` follow it.
pub(crate) fn create(
    catalog: &Catalog,
    id: &ObjectId,
    object: &Object,
    constraints: &[(&ObjectId, &Object)],
) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let kind = if get(Property::Persistence).is_some() { "unlogged table" } else { "table" };
    let mut lines: Vec<String> = columns(catalog, id)
        .into_iter()
        .map(|(column, object)| column_definition(catalog, column, object))
        .collect();
    lines.extend(constraints.iter().map(|(id, object)| constraint(id, object)));
    let mut statement = format!("create {kind} {}", name(id));
    if let Some(partition) = get(Property::PartitionOf) {
        let _ = write!(statement, " partition of {}", lower(partition));
    } else if lines.is_empty() {
        statement.push_str(" ()");
    } else {
        let _ = write!(statement, " (\n  {}\n)", lines.join(",\n  "));
    }
    for (words, property) in [
        (" inherits (", Property::Inherits),
        (" partition by ", Property::PartitionKey),
        (" using ", Property::AccessMethod),
        (" with (", Property::Options),
        (" tablespace ", Property::Tablespace),
    ] {
        if let Some(value) = get(property) {
            let end = if words.ends_with('(') { ")" } else { "" };
            let _ = write!(statement, "{words}{}{end}", lower(value));
        }
    }
    statement + ";"
}

/// The columns of a table, in their order.
pub(crate) fn columns<'a>(
    catalog: &'a Catalog,
    table: &ObjectId,
) -> Vec<(&'a ObjectId, &'a Object)> {
    let mut columns: Vec<_> =
        parts(catalog, table).filter(|(id, _)| id.kind == Kind::Column).collect();
    columns.sort_by_key(|(_, object)| object.place);
    columns
}

/// Parts of a table or a view.
pub(crate) fn parts<'a>(
    catalog: &'a Catalog,
    table: &ObjectId,
) -> impl Iterator<Item = (&'a ObjectId, &'a Object)> {
    let (schema, name) = (table.schema.clone(), table.name.clone());
    catalog
        .objects
        .iter()
        .filter(move |(id, _)| id.schema == schema && id.table.as_ref() == Some(&name))
}

/// The statement that gives a column of a table or a view its default, if it has one.
pub(crate) fn set_default(catalog: &Catalog, id: &ObjectId, object: &Object) -> Option<String> {
    let default = object.properties.get(&Property::Default)?;
    Some(format!("{} set default {};", alter_column(catalog, id), lower(default)))
}

/// The statement that drops the default of a column of a table or a view.
pub(crate) fn drop_default(catalog: &Catalog, id: &ObjectId) -> String {
    format!("{} drop default;", alter_column(catalog, id))
}

fn alter_column(catalog: &Catalog, id: &ObjectId) -> String {
    let relation = catalog.dependencies.relation(id);
    let is_view = relation.is_some_and(|relation| relation.kind == Kind::View);
    let kind = if is_view { "view" } else { "table" };
    format!("alter {kind} {} alter column {}", table_name(id), quote(&id.name))
}

/// A column as `create table` and `add column` have it: `title varchar(255) not null`. With the
/// catalog, to write `serial` where that says it. Without a default that can only be set later.
pub(crate) fn column_definition(catalog: &Catalog, id: &ObjectId, object: &Object) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let own = quote(&id.name);
    if serial_sequence(catalog, id, object).is_some() {
        let kind = match get(Property::Type) {
            Some("bigint") => "bigserial",
            Some("smallint") => "smallserial",
            _ => "serial",
        };
        return format!("{own} {kind}");
    }
    let mut text = format!("{own} {}", type_name(get(Property::Type).unwrap_or_default()));
    if let Some(collation) = get(Property::Collation) {
        let _ = write!(text, " collate {collation}");
    }
    match get(Property::NotNullConstraint) {
        // A statement of its own adds it.
        Some(constraint) if constraint.ends_with(" not valid") => {}
        Some(constraint) => {
            let (name, end) = match constraint.strip_suffix(" no inherit") {
                Some(name) => (name, " no inherit"),
                None => (constraint, ""),
            };
            let _ = write!(text, " {name} not null{end}");
        }
        None if get(Property::NotNull).is_some() => text.push_str(" not null"),
        None => {}
    }
    if let Some(default) = get(Property::Default).filter(|_| !catalog.late.contains(id)) {
        let kind = get(Property::Type).unwrap_or_default();
        let _ = write!(text, " default {}", lower(without_cast(default, kind)));
    }
    if let Some(identity) = get(Property::Identity) {
        let _ = write!(text, " generated {identity} as identity{}", identity_options(object));
    }
    if let Some((expression, storage)) =
        get(Property::Generated).and_then(|generated| generated.rsplit_once(' '))
    {
        let _ = write!(text, " generated always as ({}) {storage}", lower(expression));
    }
    text
}

/// The options of an identity column in parentheses: the name of its sequence, and how it counts.
pub(crate) fn identity_options(column: &Object) -> String {
    let get = |property| column.properties.get(&property);
    let name = get(Property::SequenceName).map(|name| format!("sequence name {}", quote(name)));
    let options: Vec<String> = name.into_iter().chain(get(Property::Options).cloned()).collect();
    if options.is_empty() { String::new() } else { format!(" ({})", options.join(" ")) }
}

/// The sequence of a column, if `serial` would create it with the same name, type and options.
pub(crate) fn serial_sequence<'a>(
    catalog: &'a Catalog,
    id: &ObjectId,
    column: &Object,
) -> Option<(&'a ObjectId, &'a Object)> {
    let table = id.table.as_deref()?;
    let sequence = ObjectId {
        schema: id.schema.clone(),
        kind: Kind::Sequence,
        table: None,
        name: format!("{table}_{}_seq", id.name),
    };
    let (sequence, object) = catalog.objects.get_key_value(&sequence)?;
    let get = |property| column.properties.get(&property);
    let same_type = get(Property::Type) == object.properties.get(&Property::Type);
    let counts = get(Property::Default)?.strip_prefix("nextval('")?.strip_suffix("'::regclass)")?;
    let owner = object.properties.get(&Property::OwnedBy).and_then(|owner| split_column(owner))?;
    let is_serial = same_type
        && get(Property::NotNull).is_some()
        && get(Property::Collation).is_none()
        && get(Property::NotNullConstraint).is_none()
        && counts.replace("''", "'") == name(sequence)
        && owner == (id.schema.clone(), table.to_owned(), id.name.clone())
        && !object.properties.contains_key(&Property::Options)
        && !object.properties.contains_key(&Property::Persistence);
    is_serial.then_some((sequence, object))
}

/// A default without the cast to the column's own type, if it is a literal; of a number without
/// its quotes, too, which PostgreSQL writes for a negative one.
fn without_cast<'a>(default: &'a str, column_type: &str) -> &'a str {
    let base = column_type.split('(').next().unwrap_or(column_type);
    match &pieces(default)[..] {
        [Piece::Quoted(literal), Piece::Plain(cast)]
            if literal.starts_with('\'') && cast.strip_prefix("::") == Some(base) =>
        {
            // Without quotes it is an integer, or a numeric if it has a point, and nothing else.
            let is_plain = base == "integer" || base == "numeric" && literal.contains('.');
            if is_plain { literal.trim_matches('\'') } else { literal }
        }
        _ => default,
    }
}
