//! Columns to add and to alter, of tables that stay.

use super::recreate::names;
use super::sequences::counting;
use super::{Plan, differs, function_name, get, is_of_table};
use crate::schema::catalog::quoting::{lower, quote};
use crate::schema::catalog::render::{table_name, type_name};
use crate::schema::catalog::table::column_definition;
use crate::schema::catalog::{Kind, Object, ObjectId, Property};
use crate::sql::literal;

/// True if the default must be dropped before anything else changes.
pub(super) fn drops_default(plan: &Plan<'_>, from: &Object, to: &Object) -> bool {
    let Some(default) = get(from, Property::Default) else { return false };
    let names_what_goes = || {
        let going = plan.going(&[Kind::Function, Kind::Sequence]);
        going.iter().any(|(id, _)| default_names(default, id))
    };
    get(to, Property::Default).is_none() || differs(from, to, Property::Type) || names_what_goes()
}

fn default_names(default: &str, id: &ObjectId) -> bool {
    match id.kind {
        Kind::Function => names(default, function_name(id)),
        _ => default.contains(&quote(&id.name)),
    }
}

/// Which columns to add.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Plain,
    /// Those that are computed from others.
    Computed,
}

/// Adds new columns.
pub(super) fn add(plan: &mut Plan<'_>, which: Which) {
    let mut columns = plan.coming(&[Kind::Column]);
    columns.retain(|(id, object)| {
        let is_computed = get(object, Property::Generated).is_some();
        is_of_table(plan, id)
            && !plan.comes_with_table(id)
            && is_computed == (which == Which::Computed)
    });
    columns.sort_by_key(|(id, object)| (&id.schema, &id.table, object.place));
    for (id, object) in columns {
        let definition = column_definition(plan.to, id, object);
        let sql = format!("alter table {} add column {definition};", table_name(id));
        let fills_itself = [Property::Default, Property::Identity, Property::Generated]
            .into_iter()
            .any(|property| get(object, property).is_some());
        if get(object, Property::NotNull).is_some() && !fills_itself {
            plan.out.todos.push(format!(
                "{id} is not null and has no default: adding it fails where {} has rows. Give it a default, or add it without `not null`, fill it, and set `not null` then",
                id.table.as_deref().unwrap_or_default()
            ));
            plan.push_with("TODO: fails where the table has rows; see above.", sql);
        } else if plan.recreated.contains(id) {
            plan.push_with("Recomputed for every row.", sql);
        } else {
            plan.push(sql);
        }
    }
}

/// Changes the columns that stay.
pub(super) fn change(plan: &mut Plan<'_>) {
    for (id, from, to) in plan.staying(&[Kind::Column]) {
        let relation = if is_of_table(plan, id) { "table" } else { "view" };
        let alter = format!("alter {relation} {} alter column {}", table_name(id), quote(&id.name));
        if differs(from, to, Property::Type) || differs(from, to, Property::Collation) {
            change_type(plan, &alter, from, to);
        }
        let default = get(to, Property::Default);
        if let Some(default) = default
            && (differs(from, to, Property::Default) || drops_default(plan, from, to))
        {
            plan.push(format!("{alter} set default {};", lower(default)));
        }
        if relation == "view" && default.is_none() && get(from, Property::Default).is_some() {
            plan.push(format!("{alter} drop default;"));
        }
        match (get(from, Property::NotNull), get(to, Property::NotNull)) {
            (None, Some(_)) => {
                plan.push_with(
                    "Fails where it is null in a row.",
                    format!("{alter} set not null;"),
                );
            }
            (Some(_), None) => plan.push(format!("{alter} drop not null;")),
            _ => {}
        }
        change_identity(plan, id, &alter, from, to);
    }
}

/// With `using` if there is no implicit cast.
fn change_type(plan: &mut Plan<'_>, alter: &str, from: &Object, to: &Object) {
    let (old, new) = (
        get(from, Property::Type).unwrap_or_default(),
        get(to, Property::Type).unwrap_or_default(),
    );
    let column = alter.rsplit(" alter column ").next().unwrap_or_default().to_owned();
    let base = |name: &str| name.split('(').next().unwrap_or_default().to_owned();
    let printed = type_name(new);
    let is_enum = |name: &str| {
        plan.to
            .objects
            .keys()
            .chain(plan.from.objects.keys())
            .any(|id| id.kind == Kind::Enum && crate::schema::catalog::render::name(id) == name)
    };
    let using = if base(old) == base(new) {
        String::new()
    } else if is_enum(new) {
        format!(" using {column}::text::{printed}")
    } else {
        format!(" using {column}::{printed}")
    };
    let collation = get(to, Property::Collation)
        .map(|collation| format!(" collate {collation}"))
        .unwrap_or_default();
    plan.push_with(
        format!("From {old}. Fails where a value does not fit."),
        format!("{alter} type {printed}{collation}{using};"),
    );
}

fn change_identity(plan: &mut Plan<'_>, id: &ObjectId, alter: &str, from: &Object, to: &Object) {
    let options = get(to, Property::Options);
    match (get(from, Property::Identity), get(to, Property::Identity)) {
        (None, Some(identity)) => {
            let clause = options.map(|options| format!(" ({options})")).unwrap_or_default();
            plan.push(format!("{alter} add generated {identity} as identity{clause};"));
            let (table, column) = (table_name(id), quote(&id.name));
            plan.push_with(
                "Counts on from where the rows are.",
                format!(
                    "select setval(pg_get_serial_sequence({}, {}), max({column})) from {table} having max({column}) is not null;",
                    literal(&table),
                    literal(&id.name)
                ),
            );
        }
        (Some(old), Some(new)) => {
            if old != new {
                plan.push(format!("{alter} set generated {new};"));
            }
            if differs(from, to, Property::Options) {
                let clauses = counting(options);
                let clauses: Vec<String> =
                    clauses.iter().map(|clause| format!("set {clause}")).collect();
                plan.push(format!("{alter} {};", clauses.join(" ")));
            }
        }
        _ => {}
    }
}
