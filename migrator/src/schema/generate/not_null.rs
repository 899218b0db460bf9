//! Not-null constraints. From PostgreSQL 18 on they have names, need not be valid for old rows, and
//! need not be inherited.

use super::steps::Phase;
use super::{Plan, differs, get};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::table_name;
use crate::schema::catalog::settings::add_not_null;
use crate::schema::catalog::{Object, ObjectId, Property};

const PHASE: Phase = Phase::AlterColumns;
const FAILS: &str = "Fails where it is null in a row.";

/// Changes the constraint of a column that stays.
pub(super) fn change<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let (table, column) = (table_name(id), quote(&id.name));
    let alter = format!("alter table {table} alter column {column}");
    let own = get(to, Property::NotNullConstraint);
    match (get(from, Property::NotNull), get(to, Property::NotNull), own) {
        (None, Some(_), _) => {
            let set = match own {
                Some(constraint) => add_not_null(&table, &column, constraint),
                None => format!("{alter} set not null;"),
            };
            plan.push_with(PHASE, id, FAILS, set);
        }
        (Some(_), None, _) => plan.push(PHASE, id, format!("{alter} drop not null;")),
        (Some(_), Some(_), _) if differs(from, to, Property::NotNullConstraint) => {
            let usual =
                quote(&format!("{}_{}_not_null", id.table.as_deref().unwrap_or_default(), id.name));
            let [old, new] = [from, to].map(|object| Constraint::of(object, &usual));
            if old.is_valid && !new.is_valid {
                plan.push(PHASE, id, format!("{alter} drop not null;"));
                plan.push(PHASE, id, add_not_null(&table, &column, own.unwrap_or_default()));
                return;
            }
            let alter = format!("alter table {table}");
            if old.name != new.name {
                plan.push(
                    PHASE,
                    id,
                    format!("{alter} rename constraint {} to {};", old.name, new.name),
                );
            }
            if old.is_inherited != new.is_inherited {
                let inherit = if new.is_inherited { "inherit" } else { "no inherit" };
                plan.push(PHASE, id, format!("{alter} alter constraint {} {inherit};", new.name));
            }
            if !old.is_valid && new.is_valid {
                let sql = format!("{alter} validate constraint {};", new.name);
                plan.push_with(PHASE, id, FAILS, sql);
            }
        }
        _ => {}
    }
}

struct Constraint<'a> {
    name: &'a str,
    is_inherited: bool,
    is_valid: bool,
}

impl<'a> Constraint<'a> {
    /// The constraint of a column, of which nothing is said if it is as `usual`.
    fn of(column: &'a Object, usual: &'a str) -> Self {
        let text = get(column, Property::NotNullConstraint).unwrap_or_default();
        let rest = text.strip_suffix(" not valid").unwrap_or(text);
        let own = rest.strip_suffix(" no inherit").unwrap_or(rest);
        Self {
            name: own.strip_prefix("constraint ").unwrap_or(usual),
            is_inherited: rest == own,
            is_valid: rest == text,
        }
    }
}
