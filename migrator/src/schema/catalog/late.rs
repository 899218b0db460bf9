//! Parts of tables that `create table` cannot contain: they take a statement of their own after it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, Kind, ObjectId, Property};

/// Constraints that are not valid, that belong to a partition or to a foreign table, or of which `create table` would keep one
/// only; and the constraints and defaults that need what needs their table, such as a check by a
/// function of its rows.
pub(super) fn find(catalog: &Catalog) -> BTreeSet<ObjectId> {
    // Foreign keys can always be added later.
    let needs = needs_of_wholes(catalog, |part| {
        part.kind == Kind::Column || part.kind == Kind::Constraint && !is_foreign_key(catalog, part)
    });
    let mut late = duplicate_keys(catalog);
    for (id, object) in &catalog.objects {
        let is_late = match id.kind {
            Kind::Constraint => {
                let definition = object.properties.get(&Property::Definition);
                definition.is_some_and(|text| text.ends_with(" NOT VALID"))
                    || is_of_partition(catalog, id)
                    || catalog.dependencies.whole(id).kind == Kind::ForeignTable
                    || returns(catalog, &needs, id)
            }
            Kind::Column => {
                object.properties.contains_key(&Property::Default) && returns(catalog, &needs, id)
            }
            _ => false,
        };
        if is_late {
            late.insert(id.clone());
        }
    }
    late
}

/// Parts of any kind that need what needs their table; of columns those with such a default.
pub(super) fn find_entangled(catalog: &Catalog) -> BTreeSet<ObjectId> {
    let needs = needs_of_wholes(catalog, |part| part.table.is_some());
    let parts = catalog.objects.iter().filter(|(id, object)| {
        let has_default = object.properties.contains_key(&Property::Default);
        id.table.is_some() && (id.kind != Kind::Column || has_default)
    });
    let entangled = parts.map(|(id, _)| id).filter(|id| returns(catalog, &needs, id));
    entangled.cloned().collect()
}

type Needs<'a> = BTreeMap<&'a ObjectId, BTreeSet<&'a ObjectId>>;

/// Dependencies, with those of some parts as their table's.
fn needs_of_wholes(catalog: &Catalog, is_in_whole: impl Fn(&ObjectId) -> bool) -> Needs<'_> {
    let dependencies = &catalog.dependencies;
    let mut needs = Needs::new();
    for (user, need, _) in dependencies.all() {
        let user = if is_in_whole(user) { dependencies.whole(user) } else { user };
        needs.entry(user).or_default().insert(dependencies.whole(need));
    }
    needs
}

/// True if one of the dependencies of a part depends on the table of the part. Of a column only those
/// of its default count.
fn returns<'a>(catalog: &'a Catalog, needs: &Needs<'a>, part: &'a ObjectId) -> bool {
    let dependencies = &catalog.dependencies;
    let own = dependencies.own(part).filter(|_| part.kind != Kind::Column);
    let direct = own.chain(dependencies.of_expression(part)).map(|id| dependencies.whole(id));
    let table = dependencies.whole(part);
    let mut open: Vec<&ObjectId> = direct.filter(|id| *id != table).collect();
    let mut seen: BTreeSet<&ObjectId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        if id == table {
            return true;
        }
        let more = needs.get(id).into_iter().flatten();
        open.extend(more.copied().filter(|id| seen.insert(id)));
    }
    false
}

/// Keys with the same columns as another one of their table: in one `create table` PostgreSQL makes one
/// index of them.
fn duplicate_keys(catalog: &Catalog) -> BTreeSet<ObjectId> {
    let mut keys: Vec<(&ObjectId, &str)> = catalog
        .objects
        .iter()
        .filter(|(id, _)| id.kind == Kind::Constraint)
        .filter_map(|(id, object)| {
            Some((id, object.properties.get(&Property::Definition)?.as_str()))
        })
        .filter(|(_, text)| text.starts_with("PRIMARY KEY") || text.starts_with("UNIQUE"))
        .collect();
    // The primary key is the one that stays.
    keys.sort_by_key(|(_, text)| text.starts_with("UNIQUE"));
    let mut seen = BTreeSet::new();
    keys.retain(|(id, text)| {
        let columns = text.find('(').map_or("", |start| &text[start..]);
        !seen.insert((&id.schema, &id.table, columns))
    });
    keys.into_iter().map(|(id, _)| id.clone()).collect()
}

fn is_of_partition(catalog: &Catalog, part: &ObjectId) -> bool {
    let table = catalog.objects.get(catalog.dependencies.whole(part));
    table.is_some_and(|table| table.properties.contains_key(&Property::PartitionOf))
}

fn is_foreign_key(catalog: &Catalog, id: &ObjectId) -> bool {
    let definition =
        catalog.objects.get(id).and_then(|own| own.properties.get(&Property::Definition));
    id.kind == Kind::Constraint && definition.is_some_and(|text| text.starts_with("FOREIGN KEY"))
}
