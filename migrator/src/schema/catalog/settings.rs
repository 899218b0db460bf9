//! What is set on an object by a statement of its own, after it was created. Without comments and
//! grants.

use super::quoting::quote;
use super::render::{name, qualified, table_name};
use super::{Kind, Object, ObjectId, Property, split_column};

/// The column that owns a sequence, row-level security, a disabled trigger or rule, the type of a typed
/// table, and statistics targets.
pub(crate) fn settings(id: &ObjectId, object: &Object) -> Vec<String> {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let own = name(id);
    let mut statements = Vec::new();
    if let Some((schema, table, column)) = get(Property::OwnedBy).and_then(split_column) {
        let table = qualified(schema.as_deref(), &table);
        let column = quote(&column);
        statements.push(format!("alter sequence {own} owned by {table}.{column};"));
    }
    if let (Kind::Sequence, Some("logged")) = (id.kind, get(Property::Persistence)) {
        statements.push(format!("alter sequence {own} set logged;"));
    }
    if let Some(of_type) = get(Property::OfType) {
        statements.push(format!("alter table {own} of {of_type};"));
    }
    statements.extend(row_security(id, None, get(Property::RowSecurity)));
    if matches!(id.kind, Kind::Trigger | Kind::Rule | Kind::EventTrigger)
        && let Some(mode) = get(Property::Disabled)
    {
        statements.push(firing(id, Some(mode)));
    }
    match (id.kind, get(Property::StatisticsTarget)) {
        (Kind::Statistics, Some(target)) => {
            statements.push(format!("alter statistics {own} set statistics {target};"));
        }
        (Kind::Index, Some(targets)) => statements.extend(index_targets(id, targets)),
        _ => {}
    }
    statements
}

/// The statements that change row-level security of a table.
pub(crate) fn row_security(table: &ObjectId, from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let is_enabled = |value: Option<&str>| matches!(value, Some("enabled" | "forced"));
    let is_forced = |value: Option<&str>| value.is_some_and(|value| value.starts_with("forced"));
    let mut words = Vec::new();
    if is_enabled(from) != is_enabled(to) {
        words.push(if is_enabled(to) { "enable" } else { "disable" });
    }
    if is_forced(from) != is_forced(to) {
        words.push(if is_forced(to) { "force" } else { "no force" });
    }
    let statement = |word| format!("alter table {} {word} row level security;", name(table));
    words.into_iter().map(statement).collect()
}

/// The statement that sets when a trigger, a rule or an event trigger fires; `None` for always but in
/// sessions of a replica.
pub(crate) fn firing(id: &ObjectId, mode: Option<&str>) -> String {
    let mode = match mode {
        None => "enable",
        Some("replica") => "enable replica",
        Some("always") => "enable always",
        Some(_) => "disable",
    };
    match id.kind {
        Kind::EventTrigger => format!("alter event trigger {} {mode};", name(id)),
        kind => format!("alter table {} {mode} {kind} {};", table_name(id), name(id)),
    }
}

/// The statements that set the statistics targets of an index, written as `1 500, 2 100`.
pub(crate) fn index_targets(index: &ObjectId, targets: &str) -> Vec<String> {
    let pairs = targets.split(", ").filter_map(|target| target.split_once(' '));
    pairs
        .map(|(column, target)| {
            format!("alter index {} alter column {column} set statistics {target};", name(index))
        })
        .collect()
}

/// What is set on a relation once its indexes are there.
pub(crate) fn by_index(id: &ObjectId, object: &Object) -> Vec<String> {
    let own = name(id);
    let replica = object.properties.get(&Property::ReplicaIdentity).map(|identity| {
        let identity = match identity.split_once(' ') {
            Some((_, index)) => format!("using index {index}"),
            None => identity.clone(),
        };
        format!("alter table {own} replica identity {identity};")
    });
    let cluster = object.properties.get(&Property::ClusterOn);
    let cluster = cluster.map(|index| format!("alter {} {own} cluster on {index};", id.kind));
    replica.into_iter().chain(cluster).collect()
}

/// What is set on a column of a table or a materialized view: how its values are stored, its
/// statistics, its identity sequence, a not-null constraint that is not valid.
pub(crate) fn of_column(id: &ObjectId, object: &Object, relation: Kind) -> Vec<String> {
    let get = |property| object.properties.get(&property).map(String::as_str);
    let table = table_name(id);
    let column = quote(&id.name);
    let alter = format!("alter {relation} {table} alter column {column}");
    let mut statements = Vec::new();
    if let Some(storage) = get(Property::Storage).and_then(|storage| storage.split(' ').next()) {
        statements.push(format!("{alter} set storage {storage};"));
    }
    if let Some(compression) = get(Property::Compression) {
        statements.push(format!("{alter} set compression {compression};"));
    }
    if let Some(target) = get(Property::StatisticsTarget) {
        statements.push(format!("{alter} set statistics {target};"));
    }
    if let Some(options) = get(Property::ColumnOptions) {
        statements.push(format!("{alter} set ({options});"));
    }
    if let (Some(_), Some(persistence)) = (get(Property::Identity), get(Property::Persistence)) {
        statements
            .push(format!("alter sequence {} set {persistence};", identity_sequence(id, object)));
    }
    if let Some(constraint) = get(Property::NotNullConstraint)
        && let Some(constraint) = constraint.strip_suffix(" not valid")
    {
        statements.push(add_not_null(&table, &column, &format!("{constraint} not valid")));
    }
    statements
}

/// The statement that adds a not-null constraint, as in `constraint c no inherit`.
pub(crate) fn add_not_null(table: &str, column: &str, constraint: &str) -> String {
    let mut words = constraint.splitn(2, " no inherit");
    let head = words.next().unwrap_or_default();
    let (name, end) = match words.next() {
        Some(rest) => (head, format!(" no inherit{rest}")),
        None => match head.strip_suffix(" not valid") {
            Some(name) => (name, " not valid".to_owned()),
            None => (head, String::new()),
        },
    };
    format!("alter table {table} add {name} not null {column}{end};")
}

/// Name of the sequence of an identity column in a statement.
pub(crate) fn identity_sequence(column: &ObjectId, object: &Object) -> String {
    let usual = || format!("{}_{}_seq", column.table.as_deref().unwrap_or_default(), column.name);
    let own = object.properties.get(&Property::SequenceName).cloned().unwrap_or_else(usual);
    qualified(column.schema.as_deref(), &own)
}
