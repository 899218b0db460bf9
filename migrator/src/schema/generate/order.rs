//! Which step must come before which, by the dependencies of both catalogs.

use std::collections::{BTreeMap, BTreeSet};

use super::recreate::names;
use super::steps::{Action, Before, Key};
use super::{Plan, definition, function_name, get, is_foreign_key, owner_of};
use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property, Through};

/// The order that PostgreSQL requires.
pub(super) fn find<'a>(plan: &Plan<'a>) -> Before<'a> {
    let mut before = Before::default();
    of_one_object(plan, &mut before);
    drops(plan, &mut before);
    creations(plan, &mut before);
    names_become_free(plan, &mut before);
    parts_of_parents(plan, &mut before);
    checks_of_domains(plan, &mut before);
    bodies(plan, &mut before);
    persistence(plan, &mut before);
    overloads(plan, &mut before);
    before
}

/// Steps of one object.
fn of_one_object<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    use Action::{Alter, Create, Drop, Park, Release, SetDefault, Settle, UseIndex};
    let order = [Release, Drop, Park, Create, Alter, SetDefault, Settle, UseIndex];
    for (action, id) in plan.steps.keys() {
        for earlier in order.into_iter().take_while(|earlier| *earlier != action) {
            let key = (earlier, id);
            if plan.steps.contains(key) {
                before.add(key, (action, id));
            }
        }
        // A part that is created with its table.
        if let (Alter | SetDefault | Settle | UseIndex, Some(creation)) =
            (action, creation_of(plan, id))
        {
            before.add(creation, (action, id));
        }
    }
}

/// What depends on an object that is dropped or altered is dropped or released before that.
fn drops<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    for (user, need, through) in plan.from.dependencies.all() {
        let release = step(plan, Action::Release, user);
        let is_released = through == Through::Expression && release.is_some();
        let drop = drop_of(plan, user);
        let earlier = [drop.filter(|_| !is_released), release];
        let dropped = drop_of(plan, need);
        let altered = [Action::Alter, Action::Park].map(|action| step(plan, action, need));
        let altered = altered.into_iter().flatten().filter(|_| need.kind == Kind::Column);
        for later in dropped.into_iter().chain(altered) {
            for earlier in earlier.into_iter().flatten() {
                before.add(earlier, later);
            }
        }
        let Some(dropped) = dropped.filter(|_| drop.is_none()) else { continue };
        let after = &plan.to.dependencies;
        let mut needs = after.own(user).chain(after.of_expression(user));
        let actions: &[Action] = if needs.any(|other| other == need) {
            &[Action::Park]
        } else {
            match through {
                Through::Itself if step(plan, Action::Park, user).is_some() => &[Action::Park],
                Through::Itself => &[Action::Alter],
                Through::Expression if is_released => &[],
                Through::Expression => &[Action::SetDefault],
            }
        };
        for earlier in actions.iter().filter_map(|action| step(plan, *action, user)) {
            before.add(earlier, dropped);
        }
    }
    for (column, tables) in &plan.recreated.parked {
        for (action, id) in plan.steps.keys() {
            let relation = plan.to.dependencies.relation(id).unwrap_or(id);
            if matches!(action, Action::Create | Action::Alter)
                && matches!(id.kind, Kind::Column | Kind::Table)
                && tables.contains(relation)
            {
                before.add((Action::Park, column), (action, id));
                before.add((action, id), (Action::Alter, column));
            }
        }
    }
    for (sequence, object) in &plan.from.objects {
        if let (Some(release), Some(drop)) = (
            step(plan, Action::Release, sequence).filter(|_| sequence.kind == Kind::Sequence),
            owner_of(plan.from, object).and_then(|owner| drop_of(plan, owner)),
        ) {
            before.add(release, drop);
        }
    }
}

/// An object is created after its dependencies are created or altered.
fn creations<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    for user in plan.to.objects.keys() {
        let dependencies = &plan.to.dependencies;
        let own = dependencies.own(user).map(|need| (need, false));
        let of_expression = dependencies.of_expression(user).map(|need| (need, true));
        for (need, is_default) in own.chain(of_expression) {
            let later = step(plan, Action::SetDefault, user).filter(|_| is_default);
            let later = later.or_else(|| creation_of(plan, user));
            let later = later.or_else(|| step(plan, Action::Alter, user));
            let Some(later) = later else { continue };
            let has_effect = matches!(
                need.kind,
                Kind::Column | Kind::Enum | Kind::Domain | Kind::Function | Kind::Constraint
            );
            let altered = step(plan, Action::Alter, need).filter(|_| has_effect);
            let earlier = [creation_of(plan, need), altered];
            for earlier in earlier.into_iter().flatten() {
                before.add(earlier, later);
            }
        }
    }
    for (sequence, object) in &plan.to.objects {
        let settings = (Action::Settle, sequence);
        if sequence.kind == Kind::Sequence
            && let Some(owner) = owner_of(plan.to, object)
            && let Some(creation) = creation_of(plan, owner)
        {
            for later in [settings, (Action::Alter, sequence)] {
                if plan.steps.contains(later) {
                    before.add(creation, later);
                }
            }
        }
    }
}

/// Tables, views, indexes, sequences and types share their names, as do functions and aggregates.
fn names_become_free<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let mut dropped: BTreeMap<(&Option<String>, &str), Vec<Key<'a>>> = BTreeMap::new();
    for id in plan.from.objects.keys().filter(|id| shares_its_name(plan.from, id)) {
        if let Some(drop) = drop_of(plan, id) {
            dropped.entry((&id.schema, &id.name)).or_default().push(drop);
        }
    }
    for id in plan.to.objects.keys().filter(|id| shares_its_name(plan.to, id)) {
        let Some(creation) = creation_of(plan, id) else { continue };
        for drop in dropped.get(&(&id.schema, id.name.as_str())).into_iter().flatten() {
            before.add(*drop, creation);
        }
    }
}

fn shares_its_name(catalog: &Catalog, id: &ObjectId) -> bool {
    match id.kind {
        Kind::Constraint => catalog.objects.get(id).is_some_and(|object| {
            let keys = ["PRIMARY KEY", "UNIQUE", "EXCLUDE"];
            keys.into_iter().any(|key| definition(object).starts_with(key))
        }),
        // Functions and aggregates share theirs too, which have arguments.
        kind => matches!(
            kind,
            Kind::Enum
                | Kind::Domain
                | Kind::CompositeType
                | Kind::RangeType
                | Kind::Sequence
                | Kind::Function
                | Kind::Aggregate
                | Kind::Table
                | Kind::ForeignTable
                | Kind::Index
                | Kind::View
                | Kind::MaterializedView
        ),
    }
}

/// The indexes and constraints of a partition come after those of its parent: PostgreSQL would take
/// them for the parent's.
fn parts_of_parents<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let mut parts: BTreeMap<&ObjectId, Vec<Key<'a>>> = BTreeMap::new();
    for (action, id) in plan.steps.keys() {
        if action == Action::Create
            && matches!(id.kind, Kind::Index | Kind::Constraint)
            && let Some(table) = plan.to.dependencies.relation(id)
        {
            parts.entry(table).or_default().push((action, id));
        }
    }
    for (table, own) in &parts {
        let parents = plan.to.dependencies.own(table).filter(|need| need.kind == Kind::Table);
        for first in parents.filter_map(|parent| parts.get(parent)).flatten() {
            for second in own {
                before.add(*first, *second);
            }
        }
    }
}

/// The checks of a domain come before what uses it: PostgreSQL adds none where a composite type with the
/// domain has values.
fn checks_of_domains<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let checks = plan
        .steps
        .keys()
        .filter(|(action, id)| *action == Action::Create && id.kind == Kind::DomainConstraint);
    for check in checks {
        let Some(domain) = plan.to.dependencies.relation(check.1) else { continue };
        let users = plan.to.dependencies.all().filter(|(user, need, _)| {
            *need == domain && !matches!(user.kind, Kind::DomainConstraint | Kind::Function)
        });
        for creation in users.filter_map(|(user, ..)| creation_of(plan, user)) {
            before.add_if_possible(check, creation);
        }
    }
}

/// PostgreSQL does not record what a body names that is a string, but runs it where it evaluates an
/// expression: for an index, or a materialized view.
fn bodies<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let made = |kinds: &[Kind]| -> Vec<Key<'a>> {
        let steps = plan.steps.keys();
        let made = steps.filter(|(action, id)| {
            matches!(action, Action::Create | Action::Alter) && kinds.contains(&id.kind)
        });
        made.collect()
    };
    let others = made(&[
        Kind::Function,
        Kind::Aggregate,
        Kind::Table,
        Kind::ForeignTable,
        Kind::View,
        Kind::MaterializedView,
    ]);
    for function in made(&[Kind::Function]) {
        let Some(object) = plan.to.objects.get(function.1) else { continue };
        let body = definition(object);
        let is_word = |character: char| character.is_alphanumeric() || "_$".contains(character);
        let words: BTreeSet<&str> = body.split(|character| !is_word(character)).collect();
        let mentions =
            |name: &str| words.contains(name) || !name.chars().all(is_word) && names(body, name);
        for other in &others {
            if *other != function && mentions(function_name(other.1)) {
                before.add_if_possible(*other, function);
            }
        }
    }
}

/// A table that is not logged may refer to one that is, but not the other way round.
fn persistence<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let keys = plan.from.objects.iter().filter(|(_, object)| is_foreign_key(object));
    for (key, _) in keys {
        let Some(table) = plan.from.dependencies.relation(key) else { continue };
        let Some(alter) = step(plan, Action::Alter, table) else { continue };
        let is_logged = |table: &Object| get(table, Property::Persistence).is_none();
        let becomes_logged = plan.to.objects.get(table).is_some_and(is_logged);
        let needs = plan.from.dependencies.own(key);
        for other in needs.filter_map(|need| plan.from.dependencies.relation(need)) {
            let Some(alter_other) = step(plan, Action::Alter, other) else { continue };
            let (first, second) =
                if becomes_logged { (alter_other, alter) } else { (alter, alter_other) };
            before.add_if_possible(first, second);
        }
    }
}

/// A call in an expression could mean two functions of one name as long as both are there.
fn overloads<'a>(plan: &Plan<'a>, before: &mut Before<'a>) {
    let is_function = |id: &ObjectId| matches!(id.kind, Kind::Function | Kind::Aggregate);
    let dropped: Vec<Key<'a>> = plan
        .steps
        .keys()
        .filter(|(action, id)| *action == Action::Drop && is_function(id))
        .collect();
    let calls = plan.to.dependencies.all().filter(|(_, need, _)| is_function(need));
    for (user, function, through) in calls.filter(|_| !dropped.is_empty()) {
        let overloads = dropped.iter().filter(|(_, other)| {
            *other != function
                && other.schema == function.schema
                && function_name(other) == function_name(function)
        });
        let later = match through {
            Through::Expression => step(plan, Action::SetDefault, user),
            Through::Itself => None,
        };
        let Some(later) = later.or_else(|| creation_of(plan, user)) else { continue };
        for drop in overloads {
            before.add_if_possible(*drop, later);
        }
    }
}

fn step<'a>(plan: &Plan<'a>, action: Action, id: &'a ObjectId) -> Option<Key<'a>> {
    Some((action, id)).filter(|key| plan.steps.contains(*key))
}

/// The step that drops an object, be it with its table or with the column that owns it.
fn drop_of<'a>(plan: &Plan<'a>, id: &'a ObjectId) -> Option<Key<'a>> {
    step(plan, Action::Drop, id).or_else(|| {
        if step(plan, Action::Release, id).is_some() && id.kind == Kind::Sequence {
            return None;
        }
        let owner = plan.from.objects.get(id).and_then(|object| owner_of(plan.from, object));
        let whole = owner.or_else(|| plan.from.dependencies.relation(id))?;
        drop_of(plan, whole)
    })
}

/// The step that creates an object, be it with its table or with the column that owns it.
fn creation_of<'a>(plan: &Plan<'a>, id: &'a ObjectId) -> Option<Key<'a>> {
    step(plan, Action::Create, id).or_else(|| {
        if !plan.is_created(id) {
            return None;
        }
        let owner = plan.to.objects.get(id).and_then(|object| owner_of(plan.to, object));
        let whole = owner.or_else(|| plan.to.dependencies.relation(id))?;
        creation_of(plan, whole)
    })
}
