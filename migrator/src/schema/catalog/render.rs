//! Single objects as SQL: each function gives one statement or a piece of one, in lower case, for
//! names in the main schema without it.

use std::fmt::Write as _;

use super::quoting::{lower, quote};
use super::{Kind, Object, ObjectId, Property};

/// The name of a standalone object, or of a table's part without its table: quoted, with its schema if
/// that is not the main one; of a function with its arguments.
pub(crate) fn name(id: &ObjectId) -> String {
    let own = match (id.kind, id.name.find('(')) {
        (Kind::Function | Kind::Aggregate, Some(arguments)) => {
            format!("{}{}", quote(&id.name[..arguments]), &id.name[arguments..])
        }
        (Kind::Operator | Kind::Cast | Kind::Transform, _) => id.name.clone(),
        _ => quote(&id.name),
    };
    // A constraint, a trigger and a policy are named on their table; an index is in its schema.
    match &id.schema {
        Some(schema) if id.table.is_none() || matches!(id.kind, Kind::Index | Kind::Statistics) => {
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
        Kind::Enum | Kind::CompositeType | Kind::RangeType => "type",
        Kind::Function if is_procedure(object) => "procedure",
        kind => kind.as_str(),
    }
}

/// True if PostgreSQL checks the body of a function when it is created: one in SQL, as a string.
pub(crate) fn is_checked_when_created(function: &Object) -> bool {
    let definition = function.properties.get(&Property::Definition);
    definition.is_some_and(|text| text.contains("\n LANGUAGE sql") && text.contains("\nAS "))
}

/// The statement that creates an object; none for a table and a column, see [`super::table`], for a
/// constraint, see [`add_constraint`], and for other objects. An existing function is replaced.
pub(crate) fn create(id: &ObjectId, object: &Object) -> Option<String> {
    let own = name(id);
    let get = |property| object.properties.get(&property).map(String::as_str);
    let definition = get(Property::Definition).unwrap_or_default();
    Some(match id.kind {
        Kind::Table | Kind::Column | Kind::Constraint | Kind::Other => return None,
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
            let storage = storage_place(object);
            format!(
                "create {} {own}{}{options}{} as\n{};",
                id.kind,
                storage.0,
                storage.1,
                lower(definition)
            )
        }
        Kind::Index => format!("{};", lower(definition).replacen(" using btree (", " (", 1)),
        Kind::Trigger | Kind::Rule | Kind::Statistics => format!("{};", lower(definition)),
        Kind::DomainConstraint => {
            format!("alter domain {} add {};", table_name(id), constraint(id, object))
        }
        Kind::AccessMethod
        | Kind::ForeignDataWrapper
        | Kind::Server
        | Kind::Collation
        | Kind::Conversion
        | Kind::TextSearchDictionary
        | Kind::TextSearchConfiguration
        | Kind::RangeType
        | Kind::Aggregate
        | Kind::Operator
        | Kind::Cast
        | Kind::Transform
        | Kind::ForeignTable
        | Kind::EventTrigger
        | Kind::Publication => format!("{definition};"),
        Kind::Policy => {
            format!("create policy {own} on {} {};", table_name(id), lower(definition))
        }
    })
}

/// The clauses for the access method and the tablespace of a relation: before and after its options.
pub(super) fn storage_place(object: &Object) -> (String, String) {
    let clause = |words, property| {
        let value = object.properties.get(&property);
        value.map(|value| format!(" {words} {value}")).unwrap_or_default()
    };
    (clause("using", Property::AccessMethod), clause("tablespace", Property::Tablespace))
}

/// A constraint as `create table` and `add` have it.
pub(crate) fn constraint(id: &ObjectId, object: &Object) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let definition = lower(get(Property::Definition).unwrap_or_default());
    // The options of its index come before the ends that a key can have.
    let ends = [" deferrable", " not enforced", " not valid"];
    let end = ends.iter().filter_map(|end| definition.rfind(end)).min();
    let has_index = id.kind == Kind::Constraint && !definition.starts_with("check");
    let end = end.filter(|_| has_index).unwrap_or(definition.len());
    let (key, end) = definition.split_at(end);
    let options =
        get(Property::Options).map(|options| format!(" with ({options})")).unwrap_or_default();
    let tablespace = get(Property::Tablespace)
        .map(|tablespace| format!(" using index tablespace {tablespace}"))
        .unwrap_or_default();
    format!("constraint {} {key}{options}{tablespace}{end}", quote(&id.name))
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
        let constraint = get(Property::NotNullConstraint).map(|name| format!(" {name}"));
        let _ = write!(text, "{} not null", constraint.unwrap_or_default());
    }
    text
}

fn create_sequence(id: &ObjectId, object: &Object) -> String {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let is_unlogged = get(Property::Persistence) == Some("unlogged");
    let kind = if is_unlogged { "unlogged sequence" } else { "sequence" };
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
