//! Objects to drop, each before its dependencies.

use super::recreate::{names, signature};
use super::{
    Entry, Plan, definition, function_name, get, is_foreign_key, is_of_table, relation, todos,
};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{keyword, name, table_name};
use crate::schema::catalog::table::serial_sequence;
use crate::schema::catalog::{Kind, Object, ObjectId, Property, split_column};

/// Everything but what columns that stay may still use.
pub(super) fn before(plan: &mut Plan<'_>) {
    for (id, _) in on_staying_tables(plan, &[Kind::Trigger, Kind::Policy]) {
        plan.push(format!("drop {} {} on {};", id.kind, name(id), table_name(id)));
    }
    users_of_early_functions(plan);
    let views = plan.going(&[Kind::View, Kind::MaterializedView]);
    for (id, _) in views.into_iter().rev() {
        let sql = format!("drop {} {};", id.kind, name(id));
        if plan.recreated.contains(id) {
            plan.push_with(format!("Recreated below. {} on it are lost.", todos::GRANTS), sql);
        } else {
            plan.push(sql);
        }
    }
    let constraints = on_staying_tables(plan, &[Kind::Constraint]);
    let (foreign, own): (Vec<_>, Vec<_>) =
        constraints.into_iter().partition(|(_, object)| is_foreign_key(object));
    for (id, _) in foreign.into_iter().chain(own) {
        plan.push(format!("alter table {} drop constraint {};", table_name(id), name(id)));
    }
    for (id, _) in on_staying_tables(plan, &[Kind::Index]) {
        plan.push(format!("drop index {};", name(id)));
    }
    for (id, from, _) in plan.staying(&[Kind::Sequence]) {
        // The sequence stays although its column is dropped, unless another new column owns it.
        let mut columns = plan.coming(&[Kind::Column]).into_iter();
        let comes_with_column = columns.any(|(column, object)| {
            serial_sequence(plan.to, column, object).is_some_and(|(sequence, _)| sequence == id)
        });
        if owner_goes(plan, from) && !comes_with_column {
            plan.push(format!("alter sequence {} owned by none;", name(id)));
        }
    }
    columns(plan);
    early_functions(plan);
    tables(plan);
    sequences(plan);
}

/// The functions and types that nothing uses any more, then what they are in.
pub(super) fn after(plan: &mut Plan<'_>) {
    let kinds = [
        Kind::Function,
        Kind::CompositeType,
        Kind::Domain,
        Kind::Enum,
        Kind::Extension,
        Kind::Schema,
    ];
    for (id, object) in plan.going(&kinds).into_iter().rev() {
        if !plan.recreated.contains(id) && !goes_early(plan, id, object) {
            plan.push(format!("drop {} {};", keyword(id, object), name(id)));
        }
    }
}

fn on_staying_tables<'a>(plan: &Plan<'a>, kinds: &[Kind]) -> Vec<Entry<'a>> {
    let mut entries = plan.going(kinds);
    entries.retain(|(id, _)| !plan.goes_with_table(id));
    entries.reverse();
    entries
}

fn columns(plan: &mut Plan<'_>) {
    let mut columns = on_staying_tables(plan, &[Kind::Column]);
    columns.retain(|(id, _)| is_of_table(plan, id));
    // Generated columns are dropped before the columns that they use.
    columns.sort_by_key(|(_, object)| get(object, Property::Generated).is_none());
    for (id, object) in columns {
        let sql = format!("alter table {} drop column {};", table_name(id), name(id));
        if get(object, Property::Generated).is_some() {
            plan.push(sql);
        } else {
            plan.push_with(format!("Lost: what is in {id}."), sql);
        }
    }
    for (id, from, to) in plan.staying(&[Kind::Column]) {
        let alter = format!("alter table {} alter column {}", table_name(id), quote(&id.name));
        if super::columns::drops_default(plan, from, to) && is_of_table(plan, id) {
            plan.push(format!("{alter} drop default;"));
        }
        if get(from, Property::Identity).is_some() && get(to, Property::Identity).is_none() {
            plan.push(format!("{alter} drop identity;"));
        }
        if get(from, Property::Generated).is_some() && get(to, Property::Generated).is_none() {
            plan.push_with(
                "What was computed so far stays as it is.",
                format!("{alter} drop expression;"),
            );
        }
    }
}

/// Functions over the row types of tables that are dropped, and functions that are recreated.
fn early_functions(plan: &mut Plan<'_>) {
    for (id, object) in plan.going(&[Kind::Function]).into_iter().rev() {
        let sql = format!("drop {} {};", keyword(id, object), name(id));
        if plan.recreated.contains(id) {
            plan.push_with(format!("Recreated below. {} on it are lost.", todos::GRANTS), sql);
        } else if goes_early(plan, id, object) {
            plan.push(sql);
        }
    }
}

/// True if a function must be dropped before the dropped tables. PostgreSQL tracks the dependencies of
/// a body only if it is not a string; the function of a trigger must outlive the trigger's table.
fn goes_early(plan: &Plan<'_>, id: &ObjectId, object: &Object) -> bool {
    let text = match definition(object) {
        text if text.contains("\nAS ") => signature(object),
        text => text,
    };
    id.kind == Kind::Function
        && plan.going(&[Kind::Table]).iter().any(|(table, _)| names(text, &table.name))
}

/// Indexes and checks of tables that go, and that use a function which has to go before these.
fn users_of_early_functions(plan: &mut Plan<'_>) {
    let mut early = plan.going(&[Kind::Function]);
    early.retain(|(id, object)| !plan.recreated.contains(id) && goes_early(plan, id, object));
    let mut users = plan.going(&[Kind::Index, Kind::Constraint]);
    users.retain(|(id, user)| {
        let text = definition(user);
        relation(id, Kind::Table).is_some_and(|table| plan.from.objects.contains_key(&table))
            && plan.goes_with_table(id)
            && early.iter().any(|(function, _)| names(text, function_name(function)))
    });
    for (id, _) in users {
        if id.kind == Kind::Index {
            plan.push(format!("drop index {};", name(id)));
        } else {
            plan.push(format!("alter table {} drop constraint {};", table_name(id), name(id)));
        }
    }
}

/// All at once: they may point to each other.
fn tables(plan: &mut Plan<'_>) {
    let mut tables = plan.going(&[Kind::Table]);
    tables.reverse();
    if tables.is_empty() {
        return;
    }
    let names: Vec<String> = tables.iter().map(|(id, _)| name(id)).collect();
    let lost: Vec<String> = tables.iter().map(|(id, _)| id.to_string()).collect();
    plan.push_with(
        format!("Lost: every row of {}.", lost.join(", ")),
        format!("drop table {};", names.join(", ")),
    );
}

/// Except those that are dropped with their columns.
fn sequences(plan: &mut Plan<'_>) {
    for (id, object) in plan.going(&[Kind::Sequence]).into_iter().rev() {
        if !owner_goes(plan, object) {
            plan.push_with(
                format!("Lost: how far {id} has counted."),
                format!("drop sequence {};", name(id)),
            );
        }
    }
}

/// True if the column that owns the sequence is dropped.
fn owner_goes(plan: &Plan<'_>, sequence: &Object) -> bool {
    let owner = get(sequence, Property::OwnedBy).and_then(split_column);
    owner.is_some_and(|(schema, table, column)| {
        let column = ObjectId { schema, kind: Kind::Column, table: Some(table), name: column };
        !plan.to.objects.contains_key(&column)
    })
}
