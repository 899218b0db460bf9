//! A catalog as a script.

use std::collections::BTreeSet;

use crate::schema::catalog::{
    Catalog, Kind, Object, ObjectId, Property, comments_and_grants, quoting, render, settings,
    table,
};

type Entry<'a> = (&'a ObjectId, &'a Object);

/// The script: what needs nothing first, a table with what belongs to it, and last what ties things
/// together. `what` is said at its top.
pub(super) fn write(catalog: &Catalog, what: &str, grants: Grants) -> String {
    let plan = Plan::of(catalog, grants);
    let mut blocks = vec![format!(
        "-- {what}.\n-- Written by `migrator dump`, never by hand: a change goes into a migration.\n{}",
        not_written(catalog)
    )];
    let unchecked = plan.needs_unchecked_bodies();
    if unchecked {
        blocks.push(
            "-- Some functions mention what is created after them, or what is found by their own search path.\nset check_function_bodies = off;\n"
                .to_owned(),
        );
    }
    blocks.extend(plan.entries.iter().map(|entry| plan.block(*entry)));
    blocks.extend(plan.late_defaults());
    blocks.extend(plan.late_foreign_keys.iter().map(|entry| constraint(*entry)));
    blocks.extend(plan.entries.iter().filter_map(|(id, object)| {
        let statements = settings::by_index(id, object);
        (!statements.is_empty()).then(|| lines(statements))
    }));
    for kind in [
        Kind::Statistics,
        Kind::Trigger,
        Kind::Rule,
        Kind::Policy,
        Kind::Publication,
        Kind::EventTrigger,
    ] {
        let all = catalog.objects.iter().filter(|(id, _)| id.kind == kind);
        blocks.extend(all.map(|(id, object)| {
            let create = render::create(id, object).into_iter();
            lines(
                create
                    .chain(settings::settings(id, object))
                    .chain(comments_and_grants::comments(id, object)),
            )
        }));
    }
    if unchecked {
        blocks.push("reset check_function_bodies;\n".to_owned());
    }
    blocks.join("\n")
}

/// Lines that name what the script lacks.
fn not_written(catalog: &Catalog) -> String {
    let others = catalog.objects.keys().filter(|id| id.kind == Kind::Other);
    lines(others.map(|id| format!("-- Not in this script: {id}.")))
}

/// Write grants or not; they were read accordingly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Grants {
    Written,
    LeftOut,
}

/// Order of creation.
struct Plan<'a> {
    catalog: &'a Catalog,
    grants: Grants,
    /// Standalone objects, indexes, and constraints that `create table` cannot contain, each after its
    /// dependencies.
    entries: Vec<Entry<'a>>,
    /// Sequences of `serial` columns.
    serial: BTreeSet<&'a ObjectId>,
    /// Foreign keys that `create table` cannot contain, such as those to a later table.
    late_foreign_keys: Vec<Entry<'a>>,
}

impl<'a> Plan<'a> {
    fn of(catalog: &'a Catalog, grants: Grants) -> Self {
        let objects = catalog.objects.iter();
        let columns = objects.clone().filter(|(id, _)| id.kind == Kind::Column);
        let serial: BTreeSet<&ObjectId> = columns
            .filter_map(|(id, object)| Some(table::serial_sequence(catalog, id, object)?.0))
            .collect();
        let is_late_key = |(id, object): &(&ObjectId, &Object)| {
            id.kind == Kind::Constraint && !is_foreign_key(object) && catalog.late.contains(*id)
        };
        let mut entries: Vec<Entry<'_>> = objects
            .clone()
            .filter(|entry| {
                entry.0.table.is_none() || entry.0.kind == Kind::Index || is_late_key(entry)
            })
            .filter(|(id, _)| {
                !matches!(id.kind, Kind::Other | Kind::Publication | Kind::EventTrigger)
            })
            .filter(|(id, _)| !serial.contains(id))
            .collect();
        entries.sort_by_key(|(id, object)| (object.place, *id));
        let late_foreign_keys = objects
            .filter(|(id, object)| is_foreign_key(object) && is_late(catalog, id, object))
            .collect();
        Self { catalog, grants, entries, serial, late_foreign_keys }
    }

    /// The defaults of columns that need what needs their table.
    fn late_defaults(&self) -> impl Iterator<Item = String> {
        let columns = self.catalog.late.iter().filter(|id| id.kind == Kind::Column);
        columns.filter_map(|id| {
            let object = self.catalog.objects.get(id)?;
            Some(lines(table::set_default(self.catalog, id, object)))
        })
    }

    /// An object with what is said of it, and a table with its constraints as well.
    fn block(&self, (id, object): Entry<'_>) -> String {
        if id.kind == Kind::Constraint {
            return constraint((id, object));
        }
        let Some(create) = render::create(id, object) else {
            return self.table(id, object);
        };
        // The column that owns a sequence is created later, with its table.
        let settings = match id.kind {
            Kind::Sequence => Vec::new(),
            _ => settings::settings(id, object),
        };
        // The database is empty: there is nothing to replace.
        let mut statements = vec![create.replacen("create or replace ", "create ", 1)];
        statements.extend(settings);
        statements.extend(comments_and_grants::comments(id, object));
        if Kind::WITH_PARTS.contains(&id.kind) {
            let columns = table::columns(self.catalog, id);
            for (column, object) in &columns {
                statements.extend(table::set_default(self.catalog, column, object));
                if id.kind != Kind::View {
                    statements.extend(settings::of_column(column, object, id.kind));
                }
            }
            for (column, object) in columns {
                statements.extend(comments_and_grants::comments(column, object));
                statements.extend(self.grants(column, object));
            }
        }
        let checks = table::parts(self.catalog, id);
        for (check, object) in checks.filter(|(id, _)| id.kind == Kind::DomainConstraint) {
            statements.extend(render::create(check, object));
            statements.extend(comments_and_grants::comments(check, object));
        }
        statements.extend(self.grants(id, object));
        lines(statements)
    }

    fn table(&self, id: &ObjectId, object: &Object) -> String {
        let mut constraints: Vec<Entry<'_>> = table::parts(self.catalog, id)
            .filter(|entry| entry.0.kind == Kind::Constraint)
            .filter(|entry| !self.catalog.late.contains(entry.0))
            .filter(|entry| !self.late_foreign_keys.contains(entry))
            .collect();
        constraints.sort_by_key(|(id, object)| (rank(object), &id.name));
        let mut create = table::create(self.catalog, id, object, &constraints);
        let columns = table::columns(self.catalog, id);
        let owned: Vec<Entry<'_>> = self
            .catalog
            .objects
            .iter()
            .filter(|(sequence, object)| sequence.kind == Kind::Sequence && is_owned_by(object, id))
            .collect();
        let mut set = settings::settings(id, object);
        for (column, object) in &columns {
            set.extend(settings::of_column(column, object, id.kind));
        }
        let mut said = comments_and_grants::comments(id, object);
        let mut granted = self.grants(id, object);
        for (id, object) in columns.iter().chain(&owned).chain(&constraints) {
            // The settings of a `serial` column's sequence are written here, others with their object.
            let is_made_here = id.kind != Kind::Sequence || self.serial.contains(id);
            if is_made_here {
                said.extend(comments_and_grants::comments(id, object));
                granted.extend(self.grants(id, object));
            } else {
                set.extend(settings::settings(id, object));
            }
        }
        create.push('\n');
        for group in [set, said, granted].iter().filter(|group| !group.is_empty()) {
            create.push('\n');
            create.push_str(&lines(group.iter().cloned()));
        }
        create
    }

    fn grants(&self, id: &ObjectId, object: &Object) -> Vec<String> {
        match self.grants {
            Grants::Written => comments_and_grants::grants(id, object),
            Grants::LeftOut => Vec::new(),
        }
    }

    /// True if PostgreSQL's check of function bodies would miss an object: one that is created later, or
    /// one that a function of another schema, or with a search path of its own, names without a schema.
    fn needs_unchecked_bodies(&self) -> bool {
        let mentions = |body: &str, id: &ObjectId| {
            let own = id.name.split('(').next().unwrap_or(&id.name);
            let is_word = |character: char| character.is_alphanumeric() || character == '_';
            body.match_indices(own).any(|(start, _)| {
                !body[..start].ends_with(is_word) && !body[start + own.len()..].starts_with(is_word)
            })
        };
        self.entries.iter().enumerate().any(|(index, (id, object))| {
            let body = object.properties.get(&Property::Definition);
            let later = &self.entries[index + 1..];
            let has_other_path = id.schema.is_some()
                || body.is_some_and(|body| body.contains("\n SET search_path "));
            id.kind == Kind::Function
                && ((has_other_path && render::is_checked_when_created(object))
                    || later.iter().any(|(later, _)| {
                        later.kind != Kind::Index && body.is_some_and(|body| mentions(body, later))
                    }))
        })
    }
}

/// A constraint that is added to its table.
fn constraint((id, object): Entry<'_>) -> String {
    let comments = comments_and_grants::comments(id, object);
    lines([render::add_constraint(id, object)].into_iter().chain(comments))
}

fn is_foreign_key(object: &Object) -> bool {
    let definition = object.properties.get(&Property::Definition);
    definition.is_some_and(|text| text.starts_with("FOREIGN KEY"))
}

/// True if a foreign key cannot be created with its table.
fn is_late(catalog: &Catalog, id: &ObjectId, object: &Object) -> bool {
    let Some(definition) = object.properties.get(&Property::Definition) else { return false };
    let table = |schema: &Option<String>, name: &str| {
        let (schema, name) = (schema.clone(), name.to_owned());
        let id = ObjectId { schema, kind: Kind::Table, table: None, name };
        catalog.objects.get_key_value(&id)
    };
    let Some((own, own_object)) = id.table.as_ref().and_then(|name| table(&id.schema, name)) else {
        return false;
    };
    if catalog.late.contains(id)
        || catalog.dependencies.own(id).any(|need| catalog.late.contains(need))
    {
        return true;
    }
    let Some(names) = referenced(definition) else { return false };
    let found = match &names[..] {
        [name] => table(&None, name),
        [schema, name] => table(&Some(schema.clone()), name),
        _ => None,
    };
    found.is_some_and(|(id, object)| id != own && object.place > own_object.place)
}

/// The table that a foreign key points to, as the names in its qualified name.
fn referenced(definition: &str) -> Option<Vec<String>> {
    let mut plain = String::new();
    for piece in quoting::pieces(definition) {
        match piece {
            // Quoted text keeps its length, and contains no name to find.
            quoting::Piece::Quoted(text) => plain.push_str(&"x".repeat(text.len())),
            quoting::Piece::Plain(text) => plain.push_str(text),
        }
    }
    let start = plain.find(" REFERENCES ")? + " REFERENCES ".len();
    let end = start + plain[start..].find('(')?;
    Some(quoting::split(&definition[start..end]))
}

/// The order of constraints in a table.
fn rank(constraint: &Object) -> usize {
    let definition = constraint.properties.get(&Property::Definition).map_or("", String::as_str);
    let kinds = ["PRIMARY KEY", "UNIQUE", "CHECK", "EXCLUDE", "FOREIGN KEY"];
    kinds.iter().position(|kind| definition.starts_with(kind)).unwrap_or(kinds.len())
}

fn is_owned_by(sequence: &Object, table: &ObjectId) -> bool {
    let owner = sequence.properties.get(&Property::OwnedBy);
    owner
        .and_then(|owner| quoting::split_column(owner))
        .is_some_and(|(schema, name, _)| schema == table.schema && name == table.name)
}

fn lines(statements: impl IntoIterator<Item = String>) -> String {
    statements.into_iter().map(|statement| statement + "\n").collect()
}
