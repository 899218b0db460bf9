//! Objects to create, each after its dependencies.

use std::collections::BTreeSet;

use super::recreate::is_validated;
use super::steps::Phase;
use super::{
    Entry, Plan, Statement, columns, definition, differs, get, is_foreign_key, is_of_table,
};
use crate::schema::catalog::comments_and_grants::{
    comment, comment_on_index, comments as all_comments,
};
use crate::schema::catalog::render::{
    add_constraint, create, is_checked_when_created, name, table_name,
};
use crate::schema::catalog::settings::settings;
use crate::schema::catalog::table::{self, serial_sequence};
use crate::schema::catalog::{Kind, ObjectId, Property};

/// The steps that create objects.
pub(super) fn add_steps(plan: &mut Plan<'_>) {
    kinds_of_values(plan);
    columns::add(plan);
    what_tables_have(plan);
    what_stands_on_tables(plan);
}

/// Schemas, types, sequences, and tables with their own parts.
fn kinds_of_values(plan: &mut Plan<'_>) {
    let kinds = [
        Kind::Schema,
        Kind::Extension,
        Kind::AccessMethod,
        Kind::ForeignDataWrapper,
        Kind::Server,
        Kind::Collation,
        Kind::Conversion,
        Kind::TextSearchDictionary,
        Kind::TextSearchConfiguration,
        Kind::Enum,
        Kind::Domain,
        Kind::CompositeType,
        Kind::RangeType,
        Kind::Sequence,
        Kind::DomainConstraint,
        Kind::Table,
        Kind::ForeignTable,
    ];
    let by_columns = sequences_of_columns(plan);
    for (id, object) in plan.coming(&kinds) {
        match id.kind {
            Kind::Sequence if by_columns.contains(id) => {}
            Kind::Sequence => {
                plan.push_all(Phase::CreateValues, id, create(id, object));
                plan.push_all(Phase::OwnSequences, id, settings(id, object));
            }
            Kind::Table => {
                let constraints = constraints_of(plan, id);
                let sql = table::create(plan.to, id, object, &constraints);
                plan.push(Phase::CreateValues, id, sql);
                plan.push_all(Phase::Settings, id, settings(id, object));
            }
            _ => plan.push_all(Phase::CreateValues, id, create(id, object)),
        }
    }
}

/// Constraints and indexes, foreign keys last: they need the keys of other tables.
fn what_tables_have(plan: &mut Plan<'_>) {
    for (id, object) in plan.coming(&[Kind::Constraint]) {
        let is_foreign = is_foreign_key(object);
        if is_foreign || plan.to.late.contains(id) || !plan.comes_with_table(id) {
            let phase = if is_foreign { Phase::AddForeignKeys } else { Phase::AddConstraints };
            plan.push(phase, id, add_constraint(id, object));
        }
    }
    for (id, object) in plan.coming(&[Kind::Index]) {
        let is_on_table = is_of_table(plan.to, id);
        let phase = if is_on_table { Phase::CreateIndexes } else { Phase::CreateIndexesOnViews };
        plan.push_all(phase, id, create(id, object));
    }
    for (id, object) in plan.coming(&[Kind::Statistics]) {
        plan.push_all(Phase::CreateIndexes, id, create(id, object));
    }
    for (id, object) in plan.coming(&[Kind::Index, Kind::Statistics]) {
        plan.push_all(Phase::Settings, id, settings(id, object));
    }
    for (id, from, to) in plan.staying(&[Kind::Constraint, Kind::DomainConstraint]) {
        if is_validated(from, to) {
            let owner = if id.kind == Kind::Constraint { "table" } else { "domain" };
            let table = table_name(id);
            let sql = format!("alter {owner} {table} validate constraint {};", name(id));
            plan.push(Phase::ValidateConstraints, id, sql);
        }
    }
}

/// Functions, views, and what is on them and on tables.
fn what_stands_on_tables(plan: &mut Plan<'_>) {
    let mut entries = plan.coming(&[
        Kind::Function,
        Kind::Aggregate,
        Kind::Operator,
        Kind::Cast,
        Kind::Transform,
        Kind::View,
        Kind::MaterializedView,
    ]);
    let changed = changed_functions(plan);
    entries.extend(&changed);
    entries.sort_by_key(|(id, object)| (object.place, *id));
    for (id, object) in entries {
        plan.push_all(Phase::CreateFunctionsAndViews, id, create(id, object));
    }
    for (id, object) in plan.coming(&[Kind::Trigger, Kind::Rule, Kind::Policy]) {
        plan.push_all(Phase::CreateTriggersAndPolicies, id, create(id, object));
        plan.push_all(Phase::Settings, id, settings(id, object));
    }
    // They act on other statements, or refer to many tables.
    for (id, object) in plan.coming(&[Kind::Publication, Kind::EventTrigger]) {
        plan.push_all(Phase::CreateLast, id, create(id, object));
        plan.push_all(Phase::CreateLast, id, settings(id, object));
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
        match plan.from.objects.get(id).filter(|_| !plan.is_recreated(id)) {
            None => plan.push_all(Phase::Comments, id, all_comments(id, to)),
            Some(from) => {
                if differs(from, to, Property::Comment) {
                    let text = get(to, Property::Comment);
                    plan.push(Phase::Comments, id, comment(id, to, text));
                }
                if differs(from, to, Property::IndexComment) {
                    let text = get(to, Property::IndexComment);
                    plan.push(Phase::Comments, id, comment_on_index(id, text));
                }
            }
        }
    }
    // A column of a view is listed only if it has a property of its own.
    for (id, from) in plan.going(&[Kind::Column]) {
        let is_silent = !is_of_table(plan.from, id) && !plan.goes_with_table(id);
        if is_silent && get(from, Property::Comment).is_some() {
            plan.push(Phase::Comments, id, comment(id, from, None));
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
pub(super) fn relaxed_bodies(plan: &Plan<'_>) -> Option<Statement> {
    let functions = plan.coming(&[Kind::Function]).into_iter().chain(changed_functions(plan));
    let mut functions = functions.map(|(_, object)| object);
    functions.any(is_checked_when_created).then(|| {
        let remark = "The bodies of functions may name what is made further below.".to_owned();
        let sql = "set local check_function_bodies = off;".to_owned();
        Statement { remarks: vec![remark], sql }
    })
}

/// Functions that are replaced where they are.
fn changed_functions<'a>(plan: &Plan<'a>) -> Vec<Entry<'a>> {
    let functions = plan.staying(&[Kind::Function]).into_iter();
    let changed = functions.filter(|(_, from, to)| differs(from, to, Property::Definition));
    changed.map(|(id, _, to)| (id, to)).collect()
}

/// Sequences of columns that are created as `serial`.
fn sequences_of_columns<'a>(plan: &Plan<'a>) -> BTreeSet<&'a ObjectId> {
    let columns = plan.coming(&[Kind::Column]).into_iter();
    columns
        .filter_map(|(id, object)| serial_sequence(plan.to, id, object))
        .map(|(id, _)| id)
        .filter(|id| plan.is_created(id))
        .collect()
}

/// Constraints that are created with a table.
fn constraints_of<'a>(plan: &Plan<'a>, table: &ObjectId) -> Vec<Entry<'a>> {
    let mut constraints: Vec<Entry<'a>> = table::parts(plan.to, table)
        .filter(|(id, object)| {
            id.kind == Kind::Constraint && !is_foreign_key(object) && !plan.to.late.contains(*id)
        })
        .collect();
    // As people write them: the key first.
    constraints.sort_by_key(|(id, object)| {
        let text = definition(object);
        (!text.starts_with("PRIMARY KEY"), !text.starts_with("UNIQUE"), *id)
    });
    constraints
}
