//! Generates the SQL that leads from one catalog to another: one function for a migration and for
//! the script that undoes it.
//!
//! Each object that differs gets steps: it is dropped, created or altered, with what PostgreSQL requires
//! before and after. The steps have a usual order, drops first, which the dependencies of both catalogs
//! correct: an object is dropped before what it depends on, and created after it. An object that must
//! change and cannot be altered is dropped and recreated, with what depends on it.

mod alter;
mod columns;
mod create;
mod drop;
mod labels;
mod not_null;
mod order;
mod recreate;
mod script;
mod sequences;
mod settings;
mod steps;
mod todos;

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property, split_column};
pub(crate) use labels::with_used_labels;
use recreate::Recreated;
pub(crate) use recreate::names;
pub use script::script;
use steps::Steps;

/// Beginning of remarks about what a statement loses.
pub(crate) const LOST: &str = "Lost: ";

/// Beginning of the remark on a new column that rows of its table have no value for.
pub(crate) const NEEDS_VALUES: &str = "TODO: fails where the table has rows";

/// The way from one catalog to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// The statements, in this order.
    pub statements: Vec<Statement>,
    /// Changes to check or to write by hand.
    pub todos: Vec<String>,
    /// Objects that are dropped and recreated.
    pub recreated: BTreeSet<ObjectId>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Notes: what is lost, what may fail.
    pub remarks: Vec<String>,
    /// With its semicolon.
    pub sql: String,
}

/// Generates the statements that lead from one catalog to another, in one transaction.
pub fn transition(from: &Catalog, to: &Catalog) -> Transition {
    transition_using(from, to, &BTreeMap::new())
}

/// The same, with expressions that convert the values of columns whose type changes.
pub(crate) fn transition_using(
    from: &Catalog,
    to: &Catalog,
    conversions: &BTreeMap<ObjectId, String>,
) -> Transition {
    let transition = Plan::new(from, to, conversions, BTreeSet::new()).transition();
    let used = labels::used(from, to, &transition);
    if used.is_empty() { transition } else { Plan::new(from, to, conversions, used).transition() }
}

/// A transition under construction.
struct Plan<'a> {
    from: &'a Catalog,
    to: &'a Catalog,
    /// Expressions that convert the values of columns; for others, a cast.
    conversions: &'a BTreeMap<ObjectId, String>,
    /// Enumerated types that are recreated, because labels cannot be added and used at once.
    replaced_enums: BTreeSet<ObjectId>,
    /// Tables that are left unchanged, because their change is a todo.
    skipped: BTreeSet<ObjectId>,
    /// Objects in both that are dropped and recreated.
    recreated: Recreated<'a>,
    steps: Steps<'a>,
}

type Entry<'a> = (&'a ObjectId, &'a Object);

impl<'a> Plan<'a> {
    fn new(
        from: &'a Catalog,
        to: &'a Catalog,
        conversions: &'a BTreeMap<ObjectId, String>,
        replaced_enums: BTreeSet<ObjectId>,
    ) -> Self {
        let skipped = todos::inexpressible_tables(from, to);
        let (recreated, steps) = (Recreated::default(), Steps::default());
        let mut plan = Self { from, to, conversions, replaced_enums, skipped, recreated, steps };
        plan.recreated = recreate::find(&plan);
        plan
    }

    fn transition(mut self) -> Transition {
        let todos = todos::find(&self);
        drop::add_steps(&mut self);
        create::add_steps(&mut self);
        alter::add_steps(&mut self);
        settings::add_steps(&mut self);
        create::comments(&mut self);
        let before = order::find(&self);
        let relaxed = create::relaxed_bodies(&self);
        let statements = drop::join_tables(self.steps.in_order(&before));
        let recreated = self.recreated.objects.into_iter().cloned().collect();
        Transition { statements: relaxed.into_iter().chain(statements).collect(), todos, recreated }
    }

    /// Objects to drop: not in the second, or recreated. In an order in which they can be created.
    fn going(&self, kinds: &[Kind]) -> Vec<Entry<'a>> {
        self.only(self.from, self.to, kinds)
    }

    /// Objects to create: not in the first, or recreated. In an order in which they can be created.
    fn coming(&self, kinds: &[Kind]) -> Vec<Entry<'a>> {
        self.only(self.to, self.from, kinds)
    }

    fn only(&self, own: &'a Catalog, other: &Catalog, kinds: &[Kind]) -> Vec<Entry<'a>> {
        let mut entries: Vec<Entry<'a>> = own
            .objects
            .iter()
            .filter(|(id, _)| {
                kinds.contains(&id.kind)
                    && (!other.objects.contains_key(id) || self.is_recreated(id))
                    && !self.is_skipped(id)
            })
            .collect();
        entries.sort_by_key(|(id, object)| (object.place, *id));
        entries
    }

    /// Objects in both that stay, in an order in which they can be created.
    fn staying(&self, kinds: &[Kind]) -> Vec<(&'a ObjectId, &'a Object, &'a Object)> {
        let mut entries: Vec<_> = self
            .to
            .objects
            .iter()
            .filter(|(id, _)| {
                kinds.contains(&id.kind) && !self.is_recreated(id) && !self.is_skipped(id)
            })
            .filter_map(|(id, to)| Some((id, self.from.objects.get(id)?, to)))
            .collect();
        entries.sort_by_key(|(id, _, to)| (to.place, *id));
        entries
    }

    fn is_skipped(&self, id: &ObjectId) -> bool {
        self.skipped.contains(id) || table_of(id).is_some_and(|table| self.skipped.contains(&table))
    }

    /// True if an object is dropped and recreated.
    fn is_recreated(&self, id: &ObjectId) -> bool {
        self.recreated.objects.contains(id)
    }

    /// True if an object of the first catalog does not stay.
    fn is_dropped(&self, id: &ObjectId) -> bool {
        self.is_recreated(id) || !self.to.objects.contains_key(id) && !self.is_skipped(id)
    }

    /// True if an object of the second catalog is not there already.
    fn is_created(&self, id: &ObjectId) -> bool {
        self.is_recreated(id) || !self.from.objects.contains_key(id) && !self.is_skipped(id)
    }

    /// True if a part is dropped with its table or view.
    fn goes_with_table(&self, part: &ObjectId) -> bool {
        self.from.dependencies.relation(part).is_some_and(|relation| self.is_dropped(relation))
    }

    /// True if the table or view of a part is created, so that the part can be created with it.
    fn comes_with_table(&self, part: &ObjectId) -> bool {
        self.to.dependencies.relation(part).is_some_and(|relation| self.is_created(relation))
    }
}

/// The table that a part belongs to, if it is a table's.
fn table_of(part: &ObjectId) -> Option<ObjectId> {
    let name = part.table.clone()?;
    Some(ObjectId { schema: part.schema.clone(), kind: Kind::Table, table: None, name })
}

/// True if a part of a catalog is a table's. Views and types have parts too: columns of which only that
/// is said which is not in the definition, triggers, checks of domains.
fn is_of_table(catalog: &Catalog, part: &ObjectId) -> bool {
    catalog.dependencies.relation(part).is_some_and(|relation| relation.kind == Kind::Table)
}

/// The column that owns a sequence.
fn owner_of<'a>(catalog: &'a Catalog, sequence: &Object) -> Option<&'a ObjectId> {
    let (schema, table, name) = get(sequence, Property::OwnedBy).and_then(split_column)?;
    let id = ObjectId { schema, kind: Kind::Column, table: Some(table), name };
    catalog.objects.get_key_value(&id).map(|(id, _)| id)
}

fn get(object: &Object, property: Property) -> Option<&str> {
    object.properties.get(&property).map(String::as_str)
}

fn definition(object: &Object) -> &str {
    get(object, Property::Definition).unwrap_or_default()
}

/// True if two objects differ in a property.
fn differs(one: &Object, other: &Object, property: Property) -> bool {
    one.properties.get(&property) != other.properties.get(&property)
}

/// True if a constraint is a foreign key.
fn is_foreign_key(object: &Object) -> bool {
    definition(object).starts_with("FOREIGN KEY")
}

/// The name of a function without its arguments.
fn function_name(id: &ObjectId) -> &str {
    id.name.split('(').next().unwrap_or(&id.name)
}
