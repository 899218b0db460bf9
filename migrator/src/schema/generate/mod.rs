//! Generates the SQL that leads from one catalog to another: one function for a migration and for
//! the script that undoes it.
//!
//! Drops come first, in an order in which nothing that stays depends on them; an object is created
//! after its dependencies. An object that must change and cannot be altered is dropped and
//! recreated, with what depends on it.

mod alter;
mod columns;
mod create;
mod drop;
mod recreate;
mod script;
mod sequences;
mod todos;

use std::collections::BTreeSet;

use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};
pub use script::script;

/// The way from one catalog to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transition {
    /// The statements, in this order.
    pub statements: Vec<Statement>,
    /// Changes to check or to write by hand.
    pub todos: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Notes: what is lost, what may fail.
    pub remarks: Vec<String>,
    /// With its semicolon.
    pub sql: String,
}

/// Generates the statements that lead from one catalog to another.
pub fn transition(from: &Catalog, to: &Catalog) -> Transition {
    let skipped = todos::inexpressible_tables(from, to);
    let mut plan =
        Plan { from, to, skipped, recreated: BTreeSet::new(), out: Transition::default() };
    plan.recreated = recreate::find(&plan);
    todos::note_what_cannot_be_said(&mut plan);
    drop::before(&mut plan);
    create::kinds_of_values(&mut plan);
    alter::alter(&mut plan);
    create::what_tables_have(&mut plan);
    create::what_stands_on_tables(&mut plan);
    drop::after(&mut plan);
    create::comments(&mut plan);
    create::relax_bodies(&mut plan);
    plan.out
}

/// A transition under construction.
struct Plan<'a> {
    from: &'a Catalog,
    to: &'a Catalog,
    /// Tables that are left unchanged, because their change is a todo.
    skipped: BTreeSet<ObjectId>,
    /// Objects in both that are dropped and recreated.
    recreated: BTreeSet<ObjectId>,
    out: Transition,
}

type Entry<'a> = (&'a ObjectId, &'a Object);

impl<'a> Plan<'a> {
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
                    && (!other.objects.contains_key(id) || self.recreated.contains(id))
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
                kinds.contains(&id.kind) && !self.recreated.contains(id) && !self.is_skipped(id)
            })
            .filter_map(|(id, to)| Some((id, self.from.objects.get(id)?, to)))
            .collect();
        entries.sort_by_key(|(id, _, to)| (to.place, *id));
        entries
    }

    fn is_skipped(&self, id: &ObjectId) -> bool {
        self.skipped.contains(id) || table_of(id).is_some_and(|table| self.skipped.contains(&table))
    }

    /// True if a part is dropped with its table or view.
    fn goes_with_table(&self, part: &ObjectId) -> bool {
        relations_of(part).any(|table| {
            self.from.objects.contains_key(&table)
                && (!self.to.objects.contains_key(&table) || self.recreated.contains(&table))
        })
    }

    /// True if the table or view of a part is created, so that the part can be created with it.
    fn comes_with_table(&self, part: &ObjectId) -> bool {
        table_of(part).is_some_and(|table| {
            self.to.objects.contains_key(&table) && !self.from.objects.contains_key(&table)
        })
    }

    fn push(&mut self, sql: String) {
        self.out.statements.push(Statement { remarks: Vec::new(), sql });
    }

    fn push_with(&mut self, remark: impl Into<String>, sql: String) {
        self.out.statements.push(Statement { remarks: vec![remark.into()], sql });
    }
}

/// The table that a part belongs to, if it is a table's.
fn table_of(part: &ObjectId) -> Option<ObjectId> {
    relation(part, Kind::Table)
}

/// A view has columns too, of which only a default and a comment are said.
fn is_of_table(plan: &Plan<'_>, column: &ObjectId) -> bool {
    relation(column, Kind::Table).is_some_and(|table| {
        plan.from.objects.contains_key(&table) || plan.to.objects.contains_key(&table)
    })
}

fn relations_of(part: &ObjectId) -> impl Iterator<Item = ObjectId> {
    [Kind::Table, Kind::View, Kind::MaterializedView]
        .into_iter()
        .filter_map(|kind| relation(part, kind))
}

fn relation(part: &ObjectId, kind: Kind) -> Option<ObjectId> {
    let name = part.table.clone()?;
    Some(ObjectId { schema: part.schema.clone(), kind, table: None, name })
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
