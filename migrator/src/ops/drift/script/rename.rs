//! Objects that differ by name only: they are renamed rather than dropped and created.

use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{name, table_name};
use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};
use crate::schema::generate::Statement;

/// Kinds that are renamed. A sequence is found by the column that owns it: renamed, it counts on.
const KINDS: [Kind; 5] =
    [Kind::Sequence, Kind::Constraint, Kind::Index, Kind::Trigger, Kind::Policy];

/// Renames objects of a catalog to the names that they have in another one. Returns the statements for that.
pub(super) fn rename(
    live: &mut Catalog,
    expected: &Catalog,
    is_ignored: impl Fn(&ObjectId) -> bool,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (id, object) in &expected.objects {
        if !KINDS.contains(&id.kind) || live.objects.contains_key(id) || is_ignored(id) {
            continue;
        }
        let extra = live.objects.iter().find_map(|(old, found)| {
            let is_extra = !expected.objects.contains_key(old) && !is_ignored(old);
            let same = is_extra && old.schema == id.schema && old.table == id.table;
            same.then(|| statement(old, found, id, object))?.map(|sql| (old.clone(), sql))
        });
        if let Some((old, statement)) = extra {
            replace(live, &old, id, object);
            statements.push(statement);
        }
    }
    statements
}

/// The statement that gives an object another's name, if that is the only difference that matters.
fn statement(old: &ObjectId, found: &Object, new: &ObjectId, wanted: &Object) -> Option<Statement> {
    let (table, from, to) = (table_name(old), name(old), quote(&new.name));
    let is_same = || without_name(old, found) == without_name(new, wanted);
    let sql = match (old.kind, new.kind) {
        (Kind::Sequence, Kind::Sequence) => {
            let owner = found.properties.get(&Property::OwnedBy);
            let is_same = owner.is_some() && owner == wanted.properties.get(&Property::OwnedBy);
            is_same.then(|| format!("alter sequence {from} rename to {to};"))
        }
        (Kind::Constraint, Kind::Constraint) => {
            is_same().then(|| format!("alter table {table} rename constraint {from} to {to};"))
        }
        (Kind::Index, Kind::Index) => {
            is_same().then(|| format!("alter index {from} rename to {to};"))
        }
        (Kind::Trigger | Kind::Policy, kind) if kind == old.kind => {
            is_same().then(|| format!("alter {kind} {from} on {table} rename to {to};"))
        }
        (Kind::Index, Kind::Constraint) => {
            let key = key_of_index(found, wanted)?;
            let index = quote(&old.name);
            let sql = format!("alter table {table} add constraint {to} {key} using index {index};");
            let remark = "The index stays, under the name of the constraint.".to_owned();
            return Some(Statement { remarks: vec![remark], sql });
        }
        _ => None,
    }?;
    Some(Statement { remarks: Vec::new(), sql })
}

/// The definition without the object's own name. None for an index that is not valid, or a trigger that is off.
fn without_name(id: &ObjectId, object: &Object) -> Option<String> {
    if object.properties.contains_key(&Property::Disabled) {
        return None;
    }
    let definition = object.properties.get(&Property::Definition)?;
    let own = quote(&id.name);
    let head = match id.kind {
        Kind::Index => format!(" INDEX {own} ON "),
        Kind::Trigger => format!(" TRIGGER {own} "),
        _ => return Some(definition.clone()),
    };
    Some(definition.replacen(&head, " ", 1))
}

/// `unique` or `primary key`, if a unique index can become that constraint.
fn key_of_index(index: &Object, constraint: &Object) -> Option<&'static str> {
    if index.properties.contains_key(&Property::Disabled) {
        return None;
    }
    let index = index.properties.get(&Property::Definition)?;
    let constraint = constraint.properties.get(&Property::Definition)?;
    let columns = index.strip_prefix("CREATE UNIQUE INDEX ")?.split_once(" USING btree ")?.1;
    let keys = [("UNIQUE ", "unique"), ("PRIMARY KEY ", "primary key")];
    keys.into_iter()
        .find(|(printed, _)| constraint.strip_prefix(printed) == Some(columns))
        .map(|(_, key)| key)
}

fn replace(live: &mut Catalog, old: &ObjectId, new: &ObjectId, wanted: &Object) {
    let Some(mut object) = live.objects.remove(old) else { return };
    if let Some(definition) = wanted.properties.get(&Property::Definition) {
        object.properties.insert(Property::Definition, definition.clone());
    }
    if old.kind != new.kind {
        // The comment is on the index of the constraint now.
        if let Some(comment) = object.properties.remove(&Property::Comment) {
            object.properties.insert(Property::IndexComment, comment);
        }
    }
    if old.kind == Kind::Sequence {
        let (from, to) =
            (format!("'{}'::regclass", name(old)), format!("'{}'::regclass", name(new)));
        for object in live.objects.values_mut() {
            if let Some(default) = object.properties.get_mut(&Property::Default) {
                *default = default.replace(&from, &to);
            }
        }
    }
    live.objects.insert(new.clone(), object);
}
