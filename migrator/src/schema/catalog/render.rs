//! Single objects as SQL: each function gives one statement or a piece of one, in lower case, for
//! names in the main schema without it.

use std::fmt::Write as _;

use super::quoting::{lower, quote};
use super::{Kind, Object, ObjectId, Property, split_column};

/// The name of a standalone object, or of a table's part without its table: quoted, with its schema if
/// that is not the main one; of a function with its arguments.
pub(crate) fn name(id: &ObjectId) -> String {
    let own = match (id.kind, id.name.rfind('(')) {
        (Kind::Function, Some(arguments)) => {
            format!("{}{}", quote(&id.name[..arguments]), &id.name[arguments..])
        }
        _ => quote(&id.name),
    };
    // A constraint, a trigger and a policy are named on their table; an index is in its schema.
    match &id.schema {
        Some(schema) if id.table.is_none() || id.kind == Kind::Index => {
            format!("{}.{own}", quote(schema))
        }
        _ => own,
    }
}

/// The name of the table that a part belongs to.
pub(crate) fn table_name(part: &ObjectId) -> String {
    qualified(part.schema.as_deref(), part.table.as_deref().unwrap_or_default())
}

/// A quoted name with its schema.
pub(crate) fn qualified(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(name)),
        None => quote(name),
    }
}

/// Keyword of this kind of object in `comment on`, `drop` and `alter`.
pub(crate) fn keyword(id: &ObjectId, object: &Object) -> &'static str {
    match id.kind {
        Kind::Enum | Kind::CompositeType => "type",
        Kind::Function if is_procedure(object) => "procedure",
        kind => kind.as_str(),
    }
}

/// The statement that creates an object; none for a table and a column, see [`super::table`], and for a
/// constraint, see [`add_constraint`]. An existing function is replaced.
pub(crate) fn create(id: &ObjectId, object: &Object) -> Option<String> {
    let own = name(id);
    let get = |property| object.properties.get(&property).map(String::as_str);
    let definition = get(Property::Definition).unwrap_or_default();
    Some(match id.kind {
        Kind::Table | Kind::Column | Kind::Constraint => return None,
        Kind::Schema => format!("create schema if not exists {own};"),
        Kind::Extension => {
            let schema =
                get(Property::Options).map(|schema| format!(" with {schema}")).unwrap_or_default();
            format!("create extension if not exists {own}{schema};")
        }
        Kind::Enum => {
            format!("create type {own} as enum ({});", get(Property::Labels).unwrap_or_default())
        }
        Kind::Domain => format!("create domain {own} as {};", domain(object)),
        Kind::CompositeType => format!("create type {own} as {};", lower(definition)),
        Kind::Sequence => create_sequence(id, object),
        Kind::Function => format!("{};", function(definition)),
        Kind::View | Kind::MaterializedView => {
            let options = get(Property::Options)
                .map(|options| format!(" with ({options})"))
                .unwrap_or_default();
            format!("create {} {own}{options} as\n{};", id.kind, lower(definition))
        }
        Kind::Index => format!("{};", lower(definition).replacen(" using btree (", " (", 1)),
        Kind::Trigger => format!("{};", lower(definition)),
        Kind::Policy => {
            format!("create policy {own} on {} {};", table_name(id), lower(definition))
        }
    })
}

/// Settings of an object that take a statement of their own: the column that owns a sequence, row-level
/// security, a disabled trigger. Without comments and grants.
pub(crate) fn settings(id: &ObjectId, object: &Object) -> Vec<String> {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let mut statements = Vec::new();
    if let Some((schema, table, column)) = get(Property::OwnedBy).and_then(split_column) {
        let table = qualified(schema.as_deref(), &table);
        let column = quote(&column);
        statements.push(format!("alter sequence {} owned by {table}.{column};", name(id)));
    }
    if let Some(security) = get(Property::RowSecurity) {
        statements.push(format!("alter table {} enable row level security;", name(id)));
        if security == "forced" {
            statements.push(format!("alter table {} force row level security;", name(id)));
        }
    }
    if let (Kind::Trigger, Some(mode)) = (id.kind, get(Property::Disabled)) {
        let mode = match mode {
            "replica" => "enable replica",
            "always" => "enable always",
            _ => "disable",
        };
        statements.push(format!("alter table {} {mode} trigger {};", table_name(id), name(id)));
    }
    statements
}

/// A constraint as `create table` and `add` have it.
pub(crate) fn constraint(id: &ObjectId, object: &Object) -> String {
    let definition = object.properties.get(&Property::Definition).map(String::as_str);
    format!("constraint {} {}", quote(&id.name), lower(definition.unwrap_or_default()))
}

/// The statement that adds a constraint to its table.
pub(crate) fn add_constraint(id: &ObjectId, object: &Object) -> String {
    format!("alter table {} add {};", table_name(id), constraint(id, object))
}

/// A type as we write it: shorter than the standard's name where PostgreSQL has a shorter one.
pub(crate) fn type_name(printed: &str) -> String {
    let (base, array) = match printed.find("[]") {
        Some(end) => printed.split_at(end),
        None => (printed, ""),
    };
    let shorter = [
        ("character varying", "", "varchar"),
        ("character", "", "char"),
        ("timestamp", " with time zone", "timestamptz"),
        ("timestamp", " without time zone", "timestamp"),
        ("time", " with time zone", "timetz"),
        ("time", " without time zone", "time"),
    ];
    let short = shorter.iter().find_map(|(begin, end, short)| {
        let modifier = base.strip_prefix(begin)?.strip_suffix(end)?;
        let is_modifier = modifier.is_empty() || modifier.starts_with('(');
        is_modifier.then(|| format!("{short}{modifier}"))
    });
    format!("{}{array}", short.unwrap_or_else(|| base.to_owned()))
}

fn domain(object: &Object) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let mut text = type_name(get(Property::Type).unwrap_or_default());
    for (words, property) in [(" collate ", Property::Collation), (" default ", Property::Default)]
    {
        if let Some(value) = get(property) {
            let _ = write!(text, "{words}{}", lower(value));
        }
    }
    if get(Property::NotNull).is_some() {
        text.push_str(" not null");
    }
    if let Some(checks) = get(Property::Definition) {
        let _ = write!(text, " {}", lower(checks));
    }
    text
}

fn create_sequence(id: &ObjectId, object: &Object) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let kind = if get(Property::Persistence).is_some() { "unlogged sequence" } else { "sequence" };
    let own_type = match get(Property::Type) {
        None | Some("bigint") => String::new(),
        Some(other) => format!(" as {other}"),
    };
    let options = get(Property::Options).map(|options| format!(" {options}")).unwrap_or_default();
    format!("create {kind} {}{own_type}{options};", name(id))
}

/// The definition with its clauses, which PostgreSQL indents by one, indented by two.
fn function(definition: &str) -> String {
    let mut text = String::new();
    let mut head = true;
    for line in lower(definition).split('\n') {
        if !text.is_empty() {
            text.push('\n');
        }
        head &= text.is_empty() || line.starts_with(' ');
        if head && line.starts_with(' ') {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

fn is_procedure(object: &Object) -> bool {
    let definition = object.properties.get(&Property::Definition);
    definition.is_some_and(|text| text.starts_with("CREATE OR REPLACE PROCEDURE"))
}
