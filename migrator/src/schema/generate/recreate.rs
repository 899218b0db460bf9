//! Objects in both catalogs that cannot be altered: they are dropped and recreated, and so is what
//! depends on them.
//!
//! A catalog does not have the dependencies between objects. Whatever names an object counts as
//! dependent: recreating something without need is harmless, because it ends up as it was.

use std::collections::BTreeSet;

use super::{Plan, definition, differs, function_name, get, is_foreign_key, relations_of};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::{Kind, Object, ObjectId, Property};

/// All objects to recreate.
pub(super) fn find(plan: &Plan<'_>) -> BTreeSet<ObjectId> {
    let both = both(plan);
    let mut recreated: BTreeSet<ObjectId> = both
        .iter()
        .filter(|(id, from, to)| is_replaced(id, from, to))
        .map(|(id, ..)| (*id).clone())
        .collect();
    loop {
        let touched = touched_columns(plan, &recreated);
        let more: Vec<ObjectId> = both
            .iter()
            .filter(|(id, from, _)| {
                !recreated.contains(id) && follows(plan, id, from, &recreated, &touched)
            })
            .map(|(id, ..)| (*id).clone())
            .collect();
        if more.is_empty() {
            return recreated;
        }
        recreated.extend(more);
    }
}

type Both<'a> = (&'a ObjectId, &'a Object, &'a Object);

fn both<'a>(plan: &Plan<'a>) -> Vec<Both<'a>> {
    let entries = plan.from.objects.iter().filter(|(id, _)| !plan.is_skipped(id));
    entries.filter_map(|(id, from)| Some((id, from, plan.to.objects.get(id)?))).collect()
}

/// True if a difference of its own requires it.
fn is_replaced(id: &ObjectId, from: &Object, to: &Object) -> bool {
    match id.kind {
        Kind::Constraint => differs(from, to, Property::Definition) && !is_validated(from, to),
        Kind::Index | Kind::Trigger | Kind::Policy => differs(from, to, Property::Definition),
        Kind::View | Kind::MaterializedView => {
            differs(from, to, Property::Definition) || differs(from, to, Property::Options)
        }
        Kind::Function => signature(from) != signature(to),
        // Leaving the expression away keeps what it has computed.
        Kind::Column => {
            differs(from, to, Property::Generated)
                && (get(to, Property::Generated).is_some() || is_virtual(from))
        }
        _ => false,
    }
}

/// True if the only change is that a constraint is now valid for old rows too.
pub(super) fn is_validated(from: &Object, to: &Object) -> bool {
    definition(from).strip_suffix(" NOT VALID") == Some(definition(to))
}

pub(super) fn is_virtual(column: &Object) -> bool {
    get(column, Property::Generated).is_some_and(|generated| generated.ends_with(" virtual"))
}

/// The part of a definition that cannot be replaced: arguments and what is returned.
pub(super) fn signature(function: &Object) -> &str {
    let definition = definition(function);
    definition.split("\n LANGUAGE").next().unwrap_or(definition)
}

/// A column of a table that stays, of which something changes that others see.
struct Touched<'a> {
    id: &'a ObjectId,
    /// Its values are computed again, in a column of the same name.
    is_recreated: bool,
}

fn touched_columns<'a>(plan: &Plan<'a>, recreated: &BTreeSet<ObjectId>) -> Vec<Touched<'a>> {
    let columns = plan.from.objects.iter().filter(|(id, _)| id.kind == Kind::Column);
    let touched = columns.filter_map(|(id, from)| {
        let is_recreated = recreated.contains(id);
        let is_touched = plan.to.objects.get(id).is_none_or(|to| {
            differs(from, to, Property::Type) || differs(from, to, Property::Collation)
        });
        (is_recreated || is_touched).then_some(Touched { id, is_recreated })
    });
    touched.collect()
}

/// True if an object depends on one that is recreated or altered.
fn follows(
    plan: &Plan<'_>,
    id: &ObjectId,
    object: &Object,
    recreated: &BTreeSet<ObjectId>,
    touched: &[Touched<'_>],
) -> bool {
    if relations_of(id).any(|relation| recreated.contains(&relation)) {
        return true;
    }
    let text = match id.kind {
        Kind::Column => get(object, Property::Generated).unwrap_or_default(),
        _ => definition(object),
    };
    if text.is_empty() {
        return false;
    }
    let own_table = |column: &ObjectId| column.schema == id.schema && column.table == id.table;
    let by_column = touched.iter().any(|column| {
        let table = column.id.table.as_deref().unwrap_or_default();
        let names_it = || names(text, &column.id.name);
        match id.kind {
            Kind::View | Kind::MaterializedView => names(text, table) && names_it(),
            Kind::Column => own_table(column.id) && id != column.id && names_it(),
            Kind::Trigger | Kind::Policy => own_table(column.id) && names_it(),
            Kind::Constraint | Kind::Index => {
                column.is_recreated && own_table(column.id) && names_it()
            }
            _ => false,
        }
    });
    if by_column {
        return true;
    }
    let depends = matches!(
        id.kind,
        Kind::View
            | Kind::MaterializedView
            | Kind::Column
            | Kind::Trigger
            | Kind::Policy
            | Kind::Constraint
            | Kind::Index
    );
    let by_other = recreated.iter().any(|other| match other.kind {
        Kind::View | Kind::MaterializedView => {
            matches!(id.kind, Kind::View | Kind::MaterializedView) && names(text, &other.name)
        }
        Kind::Function => depends && names(text, function_name(other)),
        _ => false,
    });
    by_other || is_foreign_key(object) && loses_its_key(plan, text, recreated)
}

/// True if a foreign key refers to a table of which a key is dropped.
fn loses_its_key(plan: &Plan<'_>, foreign_key: &str, recreated: &BTreeSet<ObjectId>) -> bool {
    let keys = plan.from.objects.iter().filter(|(id, key)| {
        let text = definition(key);
        (recreated.contains(id) || !plan.to.objects.contains_key(id))
            && match id.kind {
                Kind::Constraint => text.starts_with("PRIMARY KEY") || text.starts_with("UNIQUE"),
                Kind::Index => text.starts_with("CREATE UNIQUE"),
                _ => false,
            }
    });
    let referenced = foreign_key.split(" REFERENCES ").nth(1).unwrap_or_default();
    keys.into_iter()
        .any(|(id, _)| id.table.as_deref().is_some_and(|table| names(referenced, table)))
}

/// True if a definition contains a name as a whole word.
pub(super) fn names(text: &str, name: &str) -> bool {
    let name = quote(name);
    let is_word = |character: char| character.is_alphanumeric() || "_$".contains(character);
    text.match_indices(&name).any(|(start, _)| {
        !text[..start].ends_with(is_word) && !text[start + name.len()..].starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn names_are_whole_words() {
        for (text, name, found) in [
            ("SELECT tasks.id FROM tasks", "tasks", true),
            ("SELECT subtasks.id FROM tasks_old", "tasks", false),
            ("CHECK (\"Due\" > now())", "Due", true),
            ("CHECK (due > now())", "Due", false),
            ("", "tasks", false),
        ] {
            assert_eq!(names(text, name), found, "{text}");
        }
    }
}
