//! Columns to add and to alter, of tables that stay; defaults of columns.

use super::sequences::counting;
use super::steps::Phase;
use super::{NEEDS_VALUES, Plan, differs, get, is_of_table, not_null, settings};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{table_name, type_name};
use crate::schema::catalog::settings::identity_sequence;
use crate::schema::catalog::table::{column_definition, identity_options, set_default};
use crate::schema::catalog::{Kind, Object, ObjectId, Property};
use crate::sql::literal;

/// True if the default must be dropped before anything else changes.
pub(super) fn drops_default(plan: &Plan<'_>, id: &ObjectId, from: &Object, to: &Object) -> bool {
    get(from, Property::Default).is_some()
        && (get(to, Property::Default).is_none()
            || differs(from, to, Property::Type)
            || plan.recreated.parked.contains_key(id)
            || plan.from.dependencies.of_expression(id).any(|need| plan.is_dropped(need)))
}

/// Keeps a column as text while its type is recreated.
pub(super) fn park<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, alter: &str) {
    if plan.recreated.parked.contains_key(id) {
        let column = quote(&id.name);
        plan.push_with(
            Phase::ParkColumns,
            id,
            "Kept as text while its type is changed.",
            format!("{alter} type text using {column}::text;"),
        );
    }
}

/// Adds new columns, and the defaults that are not part of them.
pub(super) fn add(plan: &mut Plan<'_>) {
    let mut columns = plan.coming(&[Kind::Column]);
    columns.sort_by_key(|(id, object)| (&id.schema, &id.table, object.place));
    for (id, object) in columns {
        if !is_of_table(plan.to, id) {
            // Of a column of a view, this is all that is not in the view's query.
            plan.push_all(Phase::SetDefaultsOfViews, id, set_default(plan.to, id, object));
            continue;
        }
        if plan.to.late.contains(id) {
            plan.push_all(Phase::SetDefaults, id, set_default(plan.to, id, object));
        }
        if plan.comes_with_table(id) {
            continue;
        }
        let is_computed = get(object, Property::Generated).is_some();
        let phase = if is_computed { Phase::AddComputedColumns } else { Phase::AddColumns };
        let definition = column_definition(plan.to, id, object);
        let sql = format!("alter table {} add column {definition};", table_name(id));
        if is_empty_and_not_null(object) {
            plan.push_with(phase, id, format!("{NEEDS_VALUES}; see above."), sql);
        } else if plan.is_recreated(id) {
            plan.push_with(phase, id, "Recomputed for every row.", sql);
        } else {
            plan.push(phase, id, sql);
        }
    }
}

/// True if a new column cannot be added to a table with rows.
pub(super) fn is_empty_and_not_null(column: &Object) -> bool {
    let fills_itself = [Property::Default, Property::Identity, Property::Generated]
        .into_iter()
        .any(|property| get(column, property).is_some());
    get(column, Property::NotNull).is_some() && !fills_itself
}

/// Changes the columns that stay.
pub(super) fn change(plan: &mut Plan<'_>) {
    for (id, from, to) in plan.staying(&[Kind::Column]) {
        let of_table = is_of_table(plan.to, id);
        let alter = format!("alter table {} alter column {}", table_name(id), quote(&id.name));
        if differs(from, to, Property::Type)
            || differs(from, to, Property::Collation)
            || plan.recreated.parked.contains_key(id)
        {
            change_type(plan, id, &alter, from, to);
        }
        if differs(from, to, Property::Default) || drops_default(plan, id, from, to) {
            let phase = if of_table { Phase::SetDefaults } else { Phase::SetDefaultsOfViews };
            plan.push_all(phase, id, set_default(plan.to, id, to));
        }
        not_null::change(plan, id, from, to);
        change_identity(plan, id, &alter, from, to);
        settings::change_column(plan, id, from, to);
    }
}

/// With `using` if there is a conversion or no implicit cast.
fn change_type<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, alter: &str, from: &Object, to: &Object) {
    let (old, new) = (
        get(from, Property::Type).unwrap_or_default(),
        get(to, Property::Type).unwrap_or_default(),
    );
    let column = quote(&id.name);
    let is_parked = plan.recreated.parked.contains_key(id);
    let base = |name: &str| name.split('(').next().unwrap_or_default().to_owned();
    let printed = type_name(new);
    let is_enum = |name: &str| {
        plan.to
            .objects
            .keys()
            .chain(plan.from.objects.keys())
            .any(|id| id.kind == Kind::Enum && crate::schema::catalog::render::name(id) == name)
    };
    let using = if is_parked {
        format!(" using {column}::{printed}")
    } else if let Some(conversion) = plan.conversions.get(id) {
        format!(" using {conversion}")
    } else if base(old) == base(new) {
        String::new()
    } else if is_enum(new) {
        format!(" using {column}::text::{printed}")
    } else {
        format!(" using {column}::{printed}")
    };
    let collation = get(to, Property::Collation)
        .map(|collation| format!(" collate {collation}"))
        .unwrap_or_default();
    let sql = format!("{alter} type {printed}{collation}{using};");
    let before = if is_parked { "text" } else { old };
    let remark = format!("From {before}. Fails where a value does not fit.");
    plan.push_with(Phase::AlterColumns, id, remark, sql);
}

fn change_identity<'a>(
    plan: &mut Plan<'a>,
    id: &'a ObjectId,
    alter: &str,
    from: &Object,
    to: &Object,
) {
    let phase = Phase::AlterColumns;
    let options = get(to, Property::Options);
    match (get(from, Property::Identity), get(to, Property::Identity)) {
        (None, Some(identity)) => {
            let clause = identity_options(to);
            plan.push(phase, id, format!("{alter} add generated {identity} as identity{clause};"));
            let (table, column) = (table_name(id), quote(&id.name));
            plan.push_with(
                phase,
                id,
                "Counts on from where the rows are.",
                format!(
                    "select setval(pg_get_serial_sequence({}, {}), max({column})) from {table} having max({column}) is not null;",
                    literal(&table),
                    literal(&id.name)
                ),
            );
        }
        (Some(old), Some(new)) => {
            if differs(from, to, Property::SequenceName) {
                let (sequence, other) = (identity_sequence(id, from), identity_sequence(id, to));
                let other = other.rsplit('.').next().unwrap_or_default();
                plan.push(phase, id, format!("alter sequence {sequence} rename to {other};"));
            }
            if old != new {
                plan.push(phase, id, format!("{alter} set generated {new};"));
            }
            if differs(from, to, Property::Options) {
                let clauses = counting(options);
                let clauses: Vec<String> =
                    clauses.iter().map(|clause| format!("set {clause}")).collect();
                plan.push(phase, id, format!("{alter} {};", clauses.join(" ")));
            }
        }
        _ => {}
    }
}
