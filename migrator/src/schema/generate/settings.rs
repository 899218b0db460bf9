//! Settings of columns and of what an index does for its table, and privileges: of what is new or
//! recreated, and where they changed.

use super::alter::options;
use super::sequences::persistence;
use super::steps::Phase;
use super::{Plan, differs, get, is_of_table};
use crate::schema::catalog::comments_and_grants::{change_public_grants, grants as all_grants};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{name, table_name};
use crate::schema::catalog::settings::{by_index, identity_sequence, of_column};
use crate::schema::catalog::{Kind, Object, ObjectId, Property};

/// The steps for all of them but what is set on columns that stay.
pub(super) fn add_steps(plan: &mut Plan<'_>) {
    of_new_columns(plan);
    of_silent_columns(plan);
    by_indexes(plan);
    grants(plan);
}

/// What is set on new columns of tables and materialized views.
fn of_new_columns(plan: &mut Plan<'_>) {
    for (id, object) in plan.coming(&[Kind::Column]) {
        if let Some(kind) = stored_in(plan, id) {
            plan.push_all(Phase::Settings, id, of_column(id, object, kind));
        }
    }
}

/// Takes back what was set on columns that are listed only because of that: those of views, materialized
/// views and other relations that stay.
fn of_silent_columns(plan: &mut Plan<'_>) {
    for (id, from) in plan.going(&[Kind::Column]) {
        if is_of_table(plan.from, id) || plan.goes_with_table(id) {
            continue;
        }
        let nothing = Object::default();
        change_column(plan, id, from, &nothing);
        if get(from, Property::PublicGrants).is_some() {
            plan.push_all(Phase::Grants, id, change_public_grants(id, &nothing));
        }
    }
}

/// Changes what is set on a column that stays. A new type has taken its storage and compression away.
pub(super) fn change_column<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let phase = Phase::AlterColumns;
    let Some(kind) = stored_in(plan, id) else { return };
    let alter = format!("alter {kind} {} alter column {}", table_name(id), quote(&id.name));
    let is_retyped = kind == Kind::Table
        && (differs(from, to, Property::Type)
            || differs(from, to, Property::Collation)
            || plan.recreated.parked.contains_key(id));
    let restore = |property| is_retyped && get(to, property).is_some();
    if differs(from, to, Property::Storage) || restore(Property::Storage) {
        let usual =
            get(from, Property::Storage).and_then(|storage| storage.split(['(', ')']).nth(1));
        let usual = usual.and_then(|usual| usual.strip_prefix("usually "));
        let own = get(to, Property::Storage).and_then(|storage| storage.split(' ').next());
        if let Some(storage) = own.or(usual.filter(|_| !is_retyped)) {
            plan.push(phase, id, format!("{alter} set storage {storage};"));
        }
    }
    if differs(from, to, Property::Compression) || restore(Property::Compression) {
        let compression = get(to, Property::Compression).unwrap_or("default");
        plan.push(phase, id, format!("{alter} set compression {compression};"));
    }
    if differs(from, to, Property::StatisticsTarget) {
        let target = get(to, Property::StatisticsTarget).unwrap_or("-1");
        plan.push(phase, id, format!("{alter} set statistics {target};"));
    }
    if differs(from, to, Property::ColumnOptions) {
        let [old, new] = [from, to].map(|object| get(object, Property::ColumnOptions));
        options(plan, phase, id, &alter, old, new);
    }
    let [old, new] = [from, to].map(|object| get(object, Property::Identity).is_some());
    if old && new && differs(from, to, Property::Persistence) {
        let sequence = identity_sequence(id, to);
        plan.push(phase, id, format!("alter sequence {sequence} set {};", persistence(from, to)));
    }
}

/// Replica identity and `cluster on`, once all indexes are there. A recreated index has lost them.
fn by_indexes(plan: &mut Plan<'_>) {
    for (id, object) in plan.coming(&[Kind::Table, Kind::MaterializedView]) {
        plan.push_all(Phase::UseIndexes, id, by_index(id, object));
    }
    for (id, from, to) in plan.staying(&[Kind::Table, Kind::MaterializedView]) {
        let alter = format!("alter {} {}", id.kind, name(id));
        let is_restored = |property| {
            let index = get(to, property).map(|index| index.trim_start_matches("index "));
            index.is_some_and(|index| {
                plan.recreated.objects.iter().any(|recreated| {
                    matches!(recreated.kind, Kind::Index | Kind::Constraint)
                        && recreated.schema == id.schema
                        && recreated.table.as_ref() == Some(&id.name)
                        && quote(&recreated.name) == index
                })
            })
        };
        let of = |property| -> bool { differs(from, to, property) || is_restored(property) };
        let (replica, cluster) = (of(Property::ReplicaIdentity), of(Property::ClusterOn));
        let mut own = to.clone();
        if !replica {
            own.properties.remove(&Property::ReplicaIdentity);
        } else if get(to, Property::ReplicaIdentity).is_none() {
            plan.push(Phase::UseIndexes, id, format!("{alter} replica identity default;"));
        }
        if !cluster {
            own.properties.remove(&Property::ClusterOn);
        } else if get(to, Property::ClusterOn).is_none() && is_there(plan, id, from) {
            plan.push(Phase::UseIndexes, id, format!("{alter} set without cluster;"));
        }
        plan.push_all(Phase::UseIndexes, id, by_index(id, &own));
    }
}

/// True if the index by which a table was clustered is still there.
fn is_there(plan: &Plan<'_>, table: &ObjectId, from: &Object) -> bool {
    get(from, Property::ClusterOn).is_some_and(|index| {
        plan.to.objects.keys().any(|id| {
            matches!(id.kind, Kind::Index | Kind::Constraint)
                && id.schema == table.schema
                && id.table.as_ref() == Some(&table.name)
                && quote(&id.name) == index
        })
    })
}

/// Privileges of what is new or recreated, and those of PUBLIC where they changed.
fn grants(plan: &mut Plan<'_>) {
    let mut entries: Vec<_> =
        plan.to.objects.iter().filter(|(id, _)| !plan.is_skipped(id)).collect();
    entries.sort_by_key(|(id, object)| (object.place, *id));
    for (id, to) in entries {
        match plan.from.objects.get(id).filter(|_| !plan.is_recreated(id)) {
            None => plan.push_all(Phase::Grants, id, all_grants(id, to)),
            Some(from) if differs(from, to, Property::PublicGrants) => {
                plan.push_all(Phase::Grants, id, change_public_grants(id, to));
            }
            Some(_) => {}
        }
    }
}

/// The kind of relation that has settings of its columns; none for a view and whatever else has columns.
fn stored_in(plan: &Plan<'_>, column: &ObjectId) -> Option<Kind> {
    let relation = plan.to.dependencies.relation(column);
    let kind = relation.or_else(|| plan.from.dependencies.relation(column))?.kind;
    matches!(kind, Kind::Table | Kind::MaterializedView | Kind::ForeignTable).then_some(kind)
}
