//! Objects in both catalogs that cannot be altered: they are dropped and recreated, and so is what
//! depends on them. A column cannot be dropped for that, because its values would be lost: it is kept as
//! text while its type is recreated.

use std::collections::{BTreeMap, BTreeSet};

use super::alter::new_labels;
use super::{Plan, definition, differs, get, is_foreign_key};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::{Kind, Object, ObjectId, Property};

/// What is recreated.
#[derive(Debug, Default)]
pub(super) struct Recreated<'a> {
    /// Objects that are dropped and recreated.
    pub(super) objects: BTreeSet<&'a ObjectId>,
    /// Columns that are kept as text meanwhile, with the tables whose rows they contain: PostgreSQL
    /// rewrites no table whose row type is in use.
    pub(super) parked: BTreeMap<&'a ObjectId, BTreeSet<&'a ObjectId>>,
}

/// All objects to recreate.
pub(super) fn find<'a>(plan: &Plan<'a>) -> Recreated<'a> {
    let both = both(plan);
    let replaced = both
        .iter()
        .filter(|(id, from, to)| is_replaced(id, from, to) || plan.replaced_enums.contains(*id));
    let mut recreated = Recreated {
        objects: replaced.map(|(id, ..)| *id).collect(),
        parked: rows_of_rewritten_tables(plan, &both),
    };
    loop {
        let mut objects = Vec::new();
        let mut parked = Vec::new();
        for (id, from, to) in &both {
            let is_known = recreated.objects.contains(id) || recreated.parked.contains_key(*id);
            match follows(plan, id, from, to, &recreated) {
                Follows::No => {}
                Follows::Recreated if recreated.objects.contains(id) => {}
                Follows::Recreated => objects.push(*id),
                Follows::Parked if is_known => {}
                Follows::Parked => parked.push(*id),
            }
        }
        if objects.is_empty() && parked.is_empty() {
            recreated.parked.retain(|id, _| !recreated.objects.contains(id));
            return recreated;
        }
        recreated.objects.extend(objects);
        recreated.parked.extend(parked.into_iter().map(|id| (id, BTreeSet::new())));
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
        Kind::Constraint | Kind::DomainConstraint => {
            differs(from, to, Property::Definition) && !is_validated(from, to)
        }
        Kind::Index | Kind::Statistics | Kind::Trigger | Kind::Rule | Kind::Policy => {
            differs(from, to, Property::Definition)
        }
        kind if Kind::WHOLE.contains(&kind) => differs(from, to, Property::Definition),
        Kind::View | Kind::MaterializedView => {
            differs(from, to, Property::Definition) || differs(from, to, Property::Options)
        }
        Kind::Function => signature(from) != signature(to),
        // No label can be taken away.
        Kind::Enum => new_labels(from, to).is_none(),
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

fn is_virtual(column: &Object) -> bool {
    get(column, Property::Generated).is_some_and(|generated| generated.ends_with(" virtual"))
}

/// The part of a definition that cannot be replaced: arguments and what is returned.
fn signature(function: &Object) -> &str {
    let definition = definition(function);
    definition.split("\n LANGUAGE").next().unwrap_or(definition)
}

/// What happens to an object because of its dependencies.
enum Follows {
    No,
    Recreated,
    /// See [`Recreated::parked`].
    Parked,
}

fn follows(
    plan: &Plan<'_>,
    id: &ObjectId,
    from: &Object,
    to: &Object,
    recreated: &Recreated<'_>,
) -> Follows {
    let is_lost = |other: &ObjectId| {
        recreated.objects.contains(other)
            || !plan.to.objects.contains_key(other) && !plan.is_skipped(other)
    };
    let is_parked = |other: &ObjectId| recreated.parked.contains_key(other);
    let is_retyped = |other: &ObjectId| {
        let both = plan.from.objects.get(other).zip(plan.to.objects.get(other));
        other.kind == Kind::Column && both.is_some_and(|(from, to)| is_retyped(from, to))
    };
    let own = || plan.from.dependencies.own(id);
    let loses = || own().any(is_lost);
    match id.kind {
        Kind::Schema | Kind::Extension | Kind::Sequence | Kind::Table => Follows::No,
        Kind::Column => {
            let relation = plan.from.dependencies.relation(id);
            let is_computed_otherwise = get(from, Property::Generated).is_some()
                && get(to, Property::Generated).is_some()
                && (loses()
                    || plan
                        .from
                        .dependencies
                        .of_expression(id)
                        .any(|other| is_lost(other) || is_parked(other) || is_retyped(other)));
            if relation.is_some_and(is_lost) || is_computed_otherwise {
                Follows::Recreated
            } else if loses() && !differs(from, to, Property::Type) {
                Follows::Parked
            } else {
                Follows::No
            }
        }
        // PostgreSQL alters them with their columns, except those that refer to other columns which are
        // altered later, and those whose expressions mean something else while a column is text.
        Kind::Constraint | Kind::Index => {
            let is_touched = |other| is_parked(other) || is_foreign_key(from) && is_retyped(other);
            if loses() || own().any(is_touched) { Follows::Recreated } else { Follows::No }
        }
        _ => {
            let is_touched = |other| is_lost(other) || is_parked(other) || is_retyped(other);
            if own().any(is_touched) { Follows::Recreated } else { Follows::No }
        }
    }
}

fn is_retyped(from: &Object, to: &Object) -> bool {
    differs(from, to, Property::Type) || differs(from, to, Property::Collation)
}

/// The columns that contain rows of tables which are rewritten.
fn rows_of_rewritten_tables<'a>(
    plan: &Plan<'a>,
    both: &[Both<'a>],
) -> BTreeMap<&'a ObjectId, BTreeSet<&'a ObjectId>> {
    let rewritten = rewritten_tables(plan);
    let mut parked = BTreeMap::new();
    if rewritten.is_empty() {
        return parked;
    }
    for (column, ..) in both.iter().filter(|(id, ..)| id.kind == Kind::Column) {
        let table = plan.from.dependencies.relation(column);
        // From its type on: through arrays, domains and composite types.
        let mut open: Vec<&ObjectId> =
            plan.from.dependencies.own(column).filter(|need| Some(*need) != table).collect();
        let mut rows = BTreeSet::new();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            match id.kind {
                Kind::Table => {
                    rows.insert(id);
                    let columns = plan.from.objects.keys();
                    let columns = columns.filter(|column| {
                        plan.from.dependencies.relation(column) == Some(id)
                            && column.kind == Kind::Column
                    });
                    open.extend(columns.filter(|column| seen.insert(*column)));
                }
                Kind::Domain | Kind::CompositeType | Kind::Column => {
                    let more = plan.from.dependencies.own(id);
                    open.extend(more.filter(|need| seen.insert(*need)));
                }
                _ => {}
            }
        }
        let rows: BTreeSet<_> = rows.into_iter().filter(|row| rewritten.contains(*row)).collect();
        if !rows.is_empty() && table.is_some_and(|table| table.kind == Kind::Table) {
            parked.insert(*column, rows);
        }
    }
    parked
}

/// Tables that stay, and of which PostgreSQL writes every row again.
fn rewritten_tables<'a>(plan: &Plan<'a>) -> BTreeSet<&'a ObjectId> {
    let columns = plan.to.objects.iter().filter(|(id, to)| {
        id.kind == Kind::Column
            && plan.from.objects.get(id).map_or_else(
                || {
                    let fills = [Property::Default, Property::Identity, Property::Generated];
                    fills.into_iter().any(|property| get(to, property).is_some())
                },
                |from| is_retyped(from, to) || differs(from, to, Property::Generated),
            )
    });
    let mut tables: BTreeSet<&ObjectId> =
        columns.filter_map(|(id, _)| plan.to.dependencies.relation(id)).collect();
    tables.extend(plan.to.objects.iter().filter_map(|(id, to)| {
        let from = plan.from.objects.get(id)?;
        let is_rewritten =
            differs(from, to, Property::Persistence) || differs(from, to, Property::AccessMethod);
        (id.kind == Kind::Table && is_rewritten).then_some(id)
    }));
    tables.retain(|id| id.kind == Kind::Table && plan.from.objects.contains_key(*id));
    tables
}

/// True if a definition contains a name as a whole word.
pub(crate) fn names(text: &str, name: &str) -> bool {
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
