//! Objects to create, each after its dependencies.

use std::collections::BTreeSet;

use super::recreate::{is_validated, names};
use super::{
    Entry, Plan, Statement, definition, differs, function_name, get, is_foreign_key, table_of,
};
use crate::schema::catalog::comments_and_grants::{
    comment, comment_on_index, comments as all_comments,
};
use crate::schema::catalog::quoting::{lower, quote};
use crate::schema::catalog::render::{add_constraint, create, name, settings, table_name};
use crate::schema::catalog::table::{self, serial_sequence};
use crate::schema::catalog::{Kind, Object, ObjectId, Property};

/// Schemas, types, sequences, the functions that columns need, and tables with their own parts.
pub(super) fn kinds_of_values(plan: &mut Plan<'_>) {
    let kinds = [
        Kind::Schema,
        Kind::Extension,
        Kind::Enum,
        Kind::Domain,
        Kind::CompositeType,
        Kind::Sequence,
        Kind::Function,
        Kind::Table,
    ];
    let by_columns = sequences_of_columns(plan);
    let early = early_functions(plan);
    let mut entries = plan.coming(&kinds);
    entries.extend(changed_functions(plan));
    entries.sort_by_key(|(id, object)| (object.place, *id));
    for (id, object) in entries {
        match id.kind {
            Kind::Function if !early.contains(id) => {}
            Kind::Sequence if by_columns.contains(id) => {}
            Kind::Table => {
                let constraints = constraints_of(plan, id);
                plan.push(table::create(plan.to, id, object, &constraints));
            }
            _ => plan.out.statements.extend(create(id, object).map(plain)),
        }
    }
}

/// Constraints and indexes, foreign keys last: they need the keys of other tables.
pub(super) fn what_tables_have(plan: &mut Plan<'_>) {
    for (id, object) in plan.coming(&[Kind::Sequence]) {
        if !sequences_of_columns(plan).contains(id) {
            plan.out.statements.extend(settings(id, object).into_iter().map(plain));
        }
    }
    let mut constraints = plan.coming(&[Kind::Constraint]);
    constraints.retain(|(id, object)| is_foreign_key(object) || !plan.comes_with_table(id));
    let (foreign, own): (Vec<_>, Vec<_>) =
        constraints.into_iter().partition(|(_, object)| is_foreign_key(object));
    for (id, object) in own {
        plan.push(add_constraint(id, object));
    }
    for (id, object) in plan.coming(&[Kind::Index]) {
        if table_of(id).is_some_and(|table| plan.to.objects.contains_key(&table)) {
            plan.out.statements.extend(create(id, object).map(plain));
        }
    }
    for (id, object) in foreign {
        plan.push(add_constraint(id, object));
    }
    for (id, from, to) in plan.staying(&[Kind::Constraint]) {
        if is_validated(from, to) {
            let table = table_name(id);
            plan.push(format!("alter table {table} validate constraint {};", name(id)));
        }
    }
}

/// Functions, views, and what is on them and on tables.
pub(super) fn what_stands_on_tables(plan: &mut Plan<'_>) {
    let early = early_functions(plan);
    let mut entries = plan.coming(&[Kind::Function, Kind::View, Kind::MaterializedView]);
    entries.extend(changed_functions(plan));
    entries.retain(|(id, _)| !early.contains(*id));
    entries.sort_by_key(|(id, object)| (object.place, *id));
    for (id, object) in entries {
        plan.out.statements.extend(create(id, object).map(plain));
    }
    for (id, object) in plan.coming(&[Kind::Column]) {
        // Of a column of a view, this is all that is not in the view's query.
        if table_of(id).is_none_or(|table| !plan.to.objects.contains_key(&table))
            && let Some(default) = get(object, Property::Default)
        {
            let (view, column) = (table_name(id), quote(&id.name));
            plan.push(format!(
                "alter view {view} alter column {column} set default {};",
                lower(default)
            ));
        }
    }
    for (id, object) in plan.coming(&[Kind::Index]) {
        if table_of(id).is_some_and(|table| !plan.to.objects.contains_key(&table)) {
            plan.out.statements.extend(create(id, object).map(plain));
        }
    }
    for (id, object) in plan.coming(&[Kind::Trigger, Kind::Policy]) {
        plan.out.statements.extend(create(id, object).map(plain));
    }
    for (id, object) in plan.coming(&[Kind::Table, Kind::Trigger]) {
        plan.out.statements.extend(settings(id, object).into_iter().map(plain));
    }
}

/// Comments, on what is new and where they changed.
pub(super) fn comments(plan: &mut Plan<'_>) {
    let mut entries: Vec<Entry<'_>> = plan.to.objects.iter().collect();
    entries.sort_by_key(|(id, object)| (owner(id), object.place));
    for (id, to) in entries {
        if plan.is_skipped(id) {
            continue;
        }
        match plan.from.objects.get(id).filter(|_| !plan.recreated.contains(id)) {
            None => plan.out.statements.extend(all_comments(id, to).into_iter().map(plain)),
            Some(from) => {
                if differs(from, to, Property::Comment) {
                    plan.push(comment(id, to, get(to, Property::Comment)));
                }
                if differs(from, to, Property::IndexComment) {
                    plan.push(comment_on_index(id, get(to, Property::IndexComment)));
                }
            }
        }
    }
    // A column of a view is listed only if it has a property of its own.
    for (id, from) in plan.going(&[Kind::Column]) {
        let is_silent = super::relations_of(id).any(|relation| {
            relation.kind == Kind::View
                && plan.to.objects.contains_key(&relation)
                && !plan.recreated.contains(&relation)
        });
        if is_silent && get(from, Property::Comment).is_some() {
            plan.push(comment(id, from, None));
        }
    }
}

/// A table, then its parts.
fn owner(id: &ObjectId) -> (bool, &Option<String>, &str, bool, Kind) {
    let owner = id.table.as_deref().unwrap_or(&id.name);
    let stands_alone = id.table.is_none() && id.kind != Kind::Table;
    (stands_alone, &id.schema, owner, id.table.is_some(), id.kind)
}

/// PostgreSQL checks the bodies of SQL functions when they are created; they may name later objects.
pub(super) fn relax_bodies(plan: &mut Plan<'_>) {
    let functions = plan.coming(&[Kind::Function]).into_iter().chain(changed_functions(plan));
    let mut bodies = functions.map(|(_, object)| definition(object));
    if bodies.any(|body| body.contains("\n LANGUAGE sql") && body.contains("\nAS ")) {
        let remark = "The bodies of functions may name what is made further below.".to_owned();
        let sql = "set local check_function_bodies = off;".to_owned();
        plan.out.statements.insert(0, Statement { remarks: vec![remark], sql });
    }
}

fn plain(sql: String) -> Statement {
    Statement { remarks: Vec::new(), sql }
}

/// Functions that are replaced where they are.
fn changed_functions<'a>(plan: &Plan<'a>) -> Vec<Entry<'a>> {
    let functions = plan.staying(&[Kind::Function]).into_iter();
    let changed = functions.filter(|(_, from, to)| differs(from, to, Property::Definition));
    changed.map(|(id, _, to)| (id, to)).collect()
}

/// Functions that new or changed columns, constraints, indexes and types use, directly or not.
fn early_functions<'a>(plan: &Plan<'a>) -> BTreeSet<&'a ObjectId> {
    let users = plan.to.objects.iter().filter(|(id, object)| {
        let own = [Kind::Column, Kind::Constraint, Kind::Index, Kind::Domain];
        own.contains(&id.kind)
            && (plan.recreated.contains(id) || plan.from.objects.get(id) != Some(*object))
    });
    let mut texts: Vec<&str> = users.flat_map(|(_, object)| expressions(object)).collect();
    let functions: Vec<Entry<'a>> =
        plan.coming(&[Kind::Function]).into_iter().chain(changed_functions(plan)).collect();
    let mut early = BTreeSet::new();
    loop {
        let more: Vec<&Entry<'a>> = functions
            .iter()
            .filter(|(id, _)| {
                !early.contains(id) && texts.iter().any(|text| names(text, function_name(id)))
            })
            .collect();
        if more.is_empty() {
            return early;
        }
        texts.extend(more.iter().map(|(_, object)| definition(object)));
        early.extend(more.iter().map(|(id, _)| *id));
    }
}

fn expressions(object: &Object) -> impl Iterator<Item = &str> {
    let properties = [Property::Default, Property::Generated, Property::Definition];
    properties.into_iter().filter_map(|property| get(object, property))
}

/// Sequences of columns that are created as `serial`.
fn sequences_of_columns<'a>(plan: &Plan<'a>) -> BTreeSet<&'a ObjectId> {
    let columns = plan.coming(&[Kind::Column]).into_iter();
    columns
        .filter_map(|(id, object)| serial_sequence(plan.to, id, object))
        .map(|(id, _)| id)
        .filter(|id| !plan.from.objects.contains_key(id))
        .collect()
}

/// Constraints that are created with a table.
fn constraints_of<'a>(plan: &Plan<'a>, table: &ObjectId) -> Vec<Entry<'a>> {
    let mut constraints = plan.coming(&[Kind::Constraint]);
    constraints
        .retain(|(id, object)| table_of(id).as_ref() == Some(table) && !is_foreign_key(object));
    // As people write them: the key first.
    constraints.sort_by_key(|(id, object)| {
        let text = definition(object);
        (!text.starts_with("PRIMARY KEY"), !text.starts_with("UNIQUE"), *id)
    });
    constraints
}
