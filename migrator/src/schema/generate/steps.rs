//! The steps of a transition, each with the statements about one object, and their order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, Statement};
use crate::schema::catalog::ObjectId;

/// Phases in their usual order. A dependency takes a step out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    DropTriggersAndPolicies,
    DropViews,
    DropForeignKeys,
    DropConstraints,
    DropIndexes,
    /// The sequence stays although its column is dropped.
    KeepSequences,
    DropColumns,
    /// What is dropped of columns that stay: defaults, identities, expressions.
    ReleaseColumns,
    DropRecreatedFunctions,
    /// Columns are kept as text while their type is recreated.
    ParkColumns,
    DropRecreatedTypes,
    DetachPartitions,
    DropTables,
    DropSequences,
    CreateValues,
    AlterTypes,
    AddColumns,
    AlterColumns,
    SetDefaults,
    /// Columns that are computed from others.
    AddComputedColumns,
    AlterSequences,
    AlterTables,
    AlterTriggers,
    OwnSequences,
    AddConstraints,
    CreateIndexes,
    AddForeignKeys,
    ValidateConstraints,
    CreateFunctionsAndViews,
    SetDefaultsOfViews,
    CreateIndexesOnViews,
    CreateTriggersAndPolicies,
    /// Statements that follow the creation of an object, such as `disable trigger`.
    Settings,
    /// Functions and types that nothing uses any more, then what they are in.
    DropUnused,
    /// Replica identity and `cluster on`.
    UseIndexes,
    Grants,
    /// Publications and event triggers.
    CreateLast,
    Comments,
}

/// What a step does with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// Takes what is dropped off something that stays.
    Release,
    Drop,
    Park,
    Create,
    Alter,
    SetDefault,
    /// Depends on its object only.
    Settle,
    /// Depends on an index of its object.
    UseIndex,
}

impl Phase {
    pub(super) fn action(self) -> Action {
        match self {
            Self::KeepSequences | Self::ReleaseColumns | Self::DetachPartitions => Action::Release,
            Self::DropTriggersAndPolicies
            | Self::DropViews
            | Self::DropForeignKeys
            | Self::DropConstraints
            | Self::DropIndexes
            | Self::DropColumns
            | Self::DropRecreatedFunctions
            | Self::DropRecreatedTypes
            | Self::DropTables
            | Self::DropSequences
            | Self::DropUnused => Action::Drop,
            Self::ParkColumns => Action::Park,
            Self::CreateValues
            | Self::AddColumns
            | Self::AddComputedColumns
            | Self::AddConstraints
            | Self::CreateIndexes
            | Self::AddForeignKeys
            | Self::CreateFunctionsAndViews
            | Self::CreateIndexesOnViews
            | Self::CreateTriggersAndPolicies
            | Self::CreateLast => Action::Create,
            Self::AlterTypes
            | Self::AlterColumns
            | Self::AlterSequences
            | Self::AlterTables
            | Self::AlterTriggers
            | Self::ValidateConstraints => Action::Alter,
            Self::SetDefaults | Self::SetDefaultsOfViews => Action::SetDefault,
            Self::OwnSequences | Self::Settings | Self::Grants | Self::Comments => Action::Settle,
            Self::UseIndexes => Action::UseIndex,
        }
    }
}

/// A step by what it does and with which object.
pub(super) type Key<'a> = (Action, &'a ObjectId);

/// The statements of a step.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) phase: Phase,
    /// Number in the order in which steps were added.
    number: usize,
    pub(super) statements: Vec<Statement>,
}

/// All steps of a transition.
#[derive(Debug, Default)]
pub(super) struct Steps<'a> {
    steps: BTreeMap<Key<'a>, Step>,
}

impl<'a> Steps<'a> {
    pub(super) fn push(&mut self, phase: Phase, id: &'a ObjectId, statement: Statement) {
        let number = self.steps.len();
        let new = Step { phase, number, statements: Vec::new() };
        let step = self.steps.entry((phase.action(), id)).or_insert(new);
        step.statements.push(statement);
    }

    pub(super) fn contains(&self, key: Key<'a>) -> bool {
        self.steps.contains_key(&key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'a>> {
        self.steps.keys().copied()
    }

    /// The steps, each after those that must come before it; else in the order of the phases, and
    /// within a phase as they were added.
    pub(super) fn in_order(mut self, before: &Before<'a>) -> Vec<(Key<'a>, Step)> {
        let rank = |key: &Key<'a>| self.steps.get(key).map(|step| (step.phase, step.number));
        let mut keys: Vec<Key<'a>> = self.steps.keys().copied().collect();
        keys.sort_by_key(rank);
        let mut sorted = Vec::new();
        let mut seen = BTreeSet::new();
        for key in keys {
            visit(key, before, &rank, &mut seen, &mut sorted);
        }
        sorted.into_iter().filter_map(|key| Some((key, self.steps.remove(&key)?))).collect()
    }
}

/// For each step the steps that must come before it.
#[derive(Debug, Default)]
pub(super) struct Before<'a>(BTreeMap<Key<'a>, BTreeSet<Key<'a>>>);

impl<'a> Before<'a> {
    pub(super) fn add(&mut self, first: Key<'a>, second: Key<'a>) {
        if first != second {
            self.0.entry(second).or_default().insert(first);
        }
    }

    /// [`Self::add`], unless that would be a circle.
    pub(super) fn add_if_possible(&mut self, first: Key<'a>, second: Key<'a>) {
        let mut open = vec![first];
        let mut seen = BTreeSet::from([first]);
        while let Some(key) = open.pop() {
            if key == second {
                return;
            }
            let earlier = self.0.get(&key).into_iter().flatten();
            open.extend(earlier.copied().filter(|key| seen.insert(*key)));
        }
        self.add(first, second);
    }
}

/// Appends a step after those that must come before it. A circle is cut anywhere.
fn visit<'a, R: Ord>(
    key: Key<'a>,
    before: &Before<'a>,
    rank: &impl Fn(&Key<'a>) -> R,
    seen: &mut BTreeSet<Key<'a>>,
    sorted: &mut Vec<Key<'a>>,
) {
    if !seen.insert(key) {
        return;
    }
    let mut earlier: Vec<Key<'a>> = before.0.get(&key).into_iter().flatten().copied().collect();
    earlier.sort_by_key(rank);
    for key in earlier {
        visit(key, before, rank, seen, sorted);
    }
    sorted.push(key);
}

impl<'a> Plan<'a> {
    pub(super) fn push(&mut self, phase: Phase, id: &'a ObjectId, sql: String) {
        self.steps.push(phase, id, Statement { remarks: Vec::new(), sql });
    }

    pub(super) fn push_all(
        &mut self,
        phase: Phase,
        id: &'a ObjectId,
        statements: impl IntoIterator<Item = String>,
    ) {
        for sql in statements {
            self.push(phase, id, sql);
        }
    }

    pub(super) fn push_with(
        &mut self,
        phase: Phase,
        id: &'a ObjectId,
        remark: impl Into<String>,
        sql: String,
    ) {
        self.steps.push(phase, id, Statement { remarks: vec![remark.into()], sql });
    }
}
