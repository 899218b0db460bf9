//! Objects to drop.

use super::steps::{Key, Phase, Step};
use super::{Entry, LOST, Plan, Statement, get, is_foreign_key, is_of_table, owner_of, todos};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{keyword, name, table_name};
use crate::schema::catalog::table::{drop_default, serial_sequence};
use crate::schema::catalog::{Kind, ObjectId, Property};

/// The steps that drop objects, or something of columns and sequences that stay.
pub(super) fn add_steps(plan: &mut Plan<'_>) {
    for (id, object) in reversed(plan, &[Kind::EventTrigger, Kind::Publication]) {
        standalone(plan, Phase::DropTriggersAndPolicies, (id, object));
    }
    parts(plan);
    for (id, object) in reversed(plan, &[Kind::View, Kind::MaterializedView, Kind::ForeignTable]) {
        standalone(plan, Phase::DropViews, (id, object));
    }
    sequences(plan);
    columns(plan);
    let kinds = [Kind::Function, Kind::Aggregate, Kind::Operator, Kind::Cast, Kind::Transform];
    for (id, object) in reversed(plan, &kinds) {
        let is_recreated = plan.is_recreated(id);
        let phase = if is_recreated { Phase::DropRecreatedFunctions } else { Phase::DropUnused };
        standalone(plan, phase, (id, object));
    }
    detach_referenced_partitions(plan);
    for (id, _) in reversed(plan, &[Kind::Table]) {
        // `join_tables` writes the statement.
        plan.push(Phase::DropTables, id, name(id));
    }
    let kinds = [
        Kind::RangeType,
        Kind::CompositeType,
        Kind::Domain,
        Kind::Enum,
        Kind::TextSearchConfiguration,
        Kind::TextSearchDictionary,
        Kind::Conversion,
        Kind::Collation,
        Kind::Server,
        Kind::ForeignDataWrapper,
        Kind::AccessMethod,
        Kind::Extension,
        Kind::Schema,
    ];
    for (id, object) in reversed(plan, &kinds) {
        let is_recreated = plan.is_recreated(id);
        let phase = if is_recreated { Phase::DropRecreatedTypes } else { Phase::DropUnused };
        standalone(plan, phase, (id, object));
    }
}

/// The statements of the steps. Tables that are dropped one after the other are dropped at once: they
/// may point to each other.
pub(super) fn join_tables(steps: Vec<(Key<'_>, Step)>) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    let mut tables: Vec<&ObjectId> = Vec::new();
    for ((_, id), step) in steps {
        if step.phase == Phase::DropTables {
            if !tables.is_empty() {
                statements.pop();
            }
            tables.push(id);
            let names: Vec<String> = tables.iter().map(|id| name(id)).collect();
            let lost: Vec<String> = tables.iter().map(ToString::to_string).collect();
            statements.push(Statement {
                remarks: vec![format!("{LOST}every row of {}.", lost.join(", "))],
                sql: format!("drop table {};", names.join(", ")),
            });
        } else {
            tables.clear();
            statements.extend(step.statements);
        }
    }
    statements
}

fn standalone<'a>(plan: &mut Plan<'a>, phase: Phase, (id, object): Entry<'a>) {
    let sql = format!("drop {} {};", keyword(id, object), name(id));
    if plan.is_recreated(id) {
        plan.push_with(phase, id, todos::RECREATED, sql);
    } else {
        plan.push(phase, id, sql);
    }
}

fn reversed<'a>(plan: &Plan<'a>, kinds: &[Kind]) -> Vec<Entry<'a>> {
    let mut entries = plan.going(kinds);
    entries.reverse();
    entries
}

/// Parts of tables that stay, and those of others that must be dropped before them.
fn parts(plan: &mut Plan<'_>) {
    let kinds = [
        Kind::Rule,
        Kind::Trigger,
        Kind::Policy,
        Kind::Constraint,
        Kind::DomainConstraint,
        Kind::Index,
        Kind::Statistics,
        Kind::Column,
    ];
    for (id, object) in reversed(plan, &kinds) {
        let goes_with_table = plan.goes_with_table(id);
        if goes_with_table && !plan.from.entangled.contains(id) {
            continue;
        }
        let (table, own) = (table_name(id), name(id));
        match id.kind {
            Kind::Rule | Kind::Trigger | Kind::Policy => {
                let sql = format!("drop {} {own} on {table};", id.kind);
                plan.push(Phase::DropTriggersAndPolicies, id, sql);
            }
            Kind::Index | Kind::Statistics => {
                plan.push(Phase::DropIndexes, id, format!("drop {} {own};", id.kind));
            }
            Kind::DomainConstraint => {
                let sql = format!("alter domain {table} drop constraint {own};");
                plan.push(Phase::DropConstraints, id, sql);
            }
            Kind::Constraint => {
                let sql = format!("alter table {table} drop constraint {own};");
                let is_foreign = is_foreign_key(object);
                let phase =
                    if is_foreign { Phase::DropForeignKeys } else { Phase::DropConstraints };
                plan.push(phase, id, sql);
            }
            _ if goes_with_table => {
                plan.push(Phase::ReleaseColumns, id, drop_default(plan.from, id));
            }
            _ if !is_of_table(plan.from, id) => {
                // The column itself is in the definition of its relation.
                if get(object, Property::Default).is_some() {
                    plan.push(Phase::ReleaseColumns, id, drop_default(plan.from, id));
                }
            }
            _ => {
                let sql = format!("alter table {table} drop column {own};");
                if get(object, Property::Generated).is_some() {
                    plan.push(Phase::DropColumns, id, sql);
                } else {
                    plan.push_with(Phase::DropColumns, id, format!("{LOST}what is in {id}."), sql);
                }
            }
        }
    }
}

/// A partition of a table that foreign keys refer to can only be dropped once it is detached.
fn detach_referenced_partitions(plan: &mut Plan<'_>) {
    let dependencies = &plan.from.dependencies;
    let is_referenced = |table: &ObjectId| {
        plan.from.objects.iter().any(|(id, object)| {
            is_foreign_key(object)
                && dependencies.own(id).any(|key| dependencies.relation(key) == Some(table))
        })
    };
    for (id, object) in reversed(plan, &[Kind::Table]) {
        let is_partition = object.properties.contains_key(&Property::PartitionOf);
        let parent = dependencies.own(id).find(|other| other.kind == Kind::Table);
        if let Some(parent) = parent.filter(|_| is_partition)
            && !plan.is_dropped(parent)
            && is_referenced(parent)
        {
            let sql = format!("alter table {} detach partition {};", name(parent), name(id));
            plan.push(Phase::DetachPartitions, id, sql);
        }
    }
}

/// What is dropped of columns that stay.
fn columns(plan: &mut Plan<'_>) {
    for (id, from, to) in plan.staying(&[Kind::Column]) {
        let alter = format!("alter table {} alter column {}", table_name(id), quote(&id.name));
        if super::columns::drops_default(plan, id, from, to) {
            plan.push(Phase::ReleaseColumns, id, drop_default(plan.from, id));
        }
        if get(from, Property::Identity).is_some() && get(to, Property::Identity).is_none() {
            plan.push(Phase::ReleaseColumns, id, format!("{alter} drop identity;"));
        }
        if get(from, Property::Generated).is_some() && get(to, Property::Generated).is_none() {
            plan.push_with(
                Phase::ReleaseColumns,
                id,
                "What was computed so far stays as it is.",
                format!("{alter} drop expression;"),
            );
        }
        super::columns::park(plan, id, &alter);
    }
}

/// Except those that are dropped with their columns.
fn sequences(plan: &mut Plan<'_>) {
    let owner_goes = |plan: &Plan<'_>, object| {
        owner_of(plan.from, object).is_some_and(|owner| plan.is_dropped(owner))
    };
    for (id, from, _) in plan.staying(&[Kind::Sequence]) {
        // The sequence stays although its column is dropped, unless another new column owns it.
        let mut columns = plan.coming(&[Kind::Column]).into_iter();
        let comes_with_column = columns.any(|(column, object)| {
            serial_sequence(plan.to, column, object).is_some_and(|(sequence, _)| sequence == id)
        });
        if owner_goes(plan, from) && !comes_with_column {
            let sql = format!("alter sequence {} owned by none;", name(id));
            plan.push(Phase::KeepSequences, id, sql);
        }
    }
    for (id, object) in reversed(plan, &[Kind::Sequence]) {
        if !owner_goes(plan, object) {
            let remark = format!("{LOST}how far {id} has counted.");
            let sql = format!("drop sequence {};", name(id));
            plan.push_with(Phase::DropSequences, id, remark, sql);
        }
    }
}
