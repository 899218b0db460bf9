//! TODOs in a generated script: what it cannot express, and what may be intended differently.

use std::collections::BTreeSet;

use super::columns::is_empty_and_not_null;
use super::{Entry, Plan, differs, get, is_of_table};
use crate::schema::catalog::table::columns;
use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};

/// Remark about an object that is dropped and recreated.
pub(super) const RECREATED: &str = "Recreated below, with the grants of the migrations only.";

/// Tables that became, or are no longer, partitioned, a partition or an inheritance child.
pub(super) fn inexpressible_tables(from: &Catalog, to: &Catalog) -> BTreeSet<ObjectId> {
    let tables = from.objects.iter().filter(|(id, _)| id.kind == Kind::Table);
    tables
        .filter(|(id, from)| to.objects.get(id).is_some_and(|to| is_rebuilt(from, to)))
        .map(|(id, _)| id.clone())
        .collect()
}

fn is_rebuilt(from: &Object, to: &Object) -> bool {
    [Property::PartitionKey, Property::PartitionOf, Property::Inherits]
        .into_iter()
        .any(|property| differs(from, to, property))
}

/// All TODOs of a transition.
pub(super) fn find(plan: &Plan<'_>) -> Vec<String> {
    let mut todos = left_out(plan);
    todos.extend(renamings(plan));
    todos.extend(without_values(plan));
    todos
}

fn without_values(plan: &Plan<'_>) -> Vec<String> {
    let mut columns = plan.coming(&[Kind::Column]);
    columns.sort_by_key(|(id, object)| (&id.schema, &id.table, object.place));
    columns.retain(|(id, object)| {
        is_of_table(plan.to, id) && !plan.comes_with_table(id) && is_empty_and_not_null(object)
    });
    let todo = |(id, _): &Entry<'_>| {
        format!(
            "{id} is not null and has no default: adding it fails where {} has rows. Give it a default, or add it without `not null`, fill it, and set `not null` then",
            id.table.as_deref().unwrap_or_default()
        )
    };
    columns.iter().map(todo).collect()
}

fn left_out(plan: &Plan<'_>) -> Vec<String> {
    let mut todos = Vec::new();
    for (id, _) in plan.coming(&[Kind::Other]) {
        todos.push(format!("make this by hand, if it is needed: {id}"));
    }
    for (id, _) in plan.going(&[Kind::Other]) {
        todos.push(format!("undo this by hand, if it has to go: {id}"));
    }
    for (id, ..) in plan.staying(&[Kind::Other]) {
        // What is said of an object names it at its end, with its schema.
        let lost = plan.recreated.objects.iter().find(|recreated| {
            let object = id.name.trim_end_matches(|character| character != '.' && character != ' ');
            let name = &id.name[object.len()..];
            !matches!(recreated.kind, Kind::Other) && name == recreated.name
        });
        if let Some(recreated) = lost {
            todos.push(format!("write this by hand, because {recreated} is recreated: {id}"));
        }
    }
    for id in &plan.skipped {
        todos.push(format!(
            "{id} is partitioned in another way, or inherits otherwise: nothing is written about it or its parts"
        ));
    }
    let kinds = [Kind::Extension, Kind::Domain, Kind::CompositeType, Kind::Index, Kind::Other];
    for (id, from, to) in plan.staying(&kinds) {
        let properties: &[Property] = match id.kind {
            Kind::Extension => &[Property::Options],
            Kind::Domain => &[Property::Type, Property::Collation, Property::NotNullConstraint],
            Kind::CompositeType | Kind::Other => &[Property::Definition],
            Kind::Index => &[Property::Disabled],
            _ => &[],
        };
        for property in properties.iter().filter(|property| differs(from, to, **property)) {
            let value = |object| get(object, *property).unwrap_or("(nothing)").to_owned();
            todos.push(format!(
                "write this by hand: {id}, {property}\n  from: {}\n  to:   {}",
                value(from),
                value(to)
            ));
        }
    }
    todos
}

/// A dropped and a new object may be the same one under another name.
fn renamings(plan: &Plan<'_>) -> Vec<String> {
    let mut todos = Vec::new();
    for (old, from) in plan.going(&[Kind::Column]) {
        let is_same = |(new, to): &Entry<'_>| {
            new.schema == old.schema
                && new.table == old.table
                && new.name != old.name
                && get(from, Property::Generated).is_none()
                && get(to, Property::Generated).is_none()
                && get(from, Property::Type) == get(to, Property::Type)
        };
        if plan.goes_with_table(old) {
            continue;
        }
        for (new, _) in plan.coming(&[Kind::Column]).iter().filter(|entry| is_same(entry)) {
            todos.push(format!(
                "if {old} became {}, this is a rename: write `alter table … rename column …` instead of dropping one and adding the other, which loses what is in it",
                new.name
            ));
        }
    }
    let shape = |catalog, id| -> Vec<(String, Option<String>)> {
        let columns = columns(catalog, id).into_iter();
        columns
            .map(|(id, object)| (id.name.clone(), get(object, Property::Type).map(str::to_owned)))
            .collect()
    };
    for (old, _) in plan.going(&[Kind::Table]) {
        for (new, _) in plan.coming(&[Kind::Table]) {
            if shape(plan.from, old) == shape(plan.to, new) {
                todos.push(format!(
                    "if {old} became {}, this is a rename: write `alter table … rename to …` instead of dropping one and making the other, which loses its rows",
                    new.name
                ));
            }
        }
    }
    todos
}
