//! The schema that a script leads to: that of the migrations, with what a live database keeps of its own.

use std::collections::BTreeMap;

use super::conversion::{Conversion, conversion};
use crate::migrations::Migrations;
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{add_constraint, name, table_name, type_name};
use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property, split_column};
use crate::schema::generate::names;
use crate::sql;

/// A change that is left to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The object that would change; none where it is not one alone.
    pub id: Option<ObjectId>,
    /// What is to be decided.
    pub reason: String,
    /// The statements, if they are known.
    pub sql: Vec<String>,
}

/// The schema that a script leads to.
pub(super) struct Target {
    pub(super) catalog: Catalog,
    /// How values of columns are converted, if not by a cast.
    pub(super) conversions: BTreeMap<ObjectId, String>,
    pub(super) undecided: Vec<Undecided>,
    /// Columns that only the live database has, and that are no longer required.
    pub(super) optional: Vec<ObjectId>,
}

/// Decisions of the user.
pub(super) struct Choices<'a> {
    /// What only the live database has is dropped.
    pub(super) drop_extra: bool,
    /// The zone of times without one.
    pub(super) zone: Option<&'a str>,
    pub(super) is_ignored: &'a dyn Fn(&ObjectId) -> bool,
    pub(super) migrations: &'a Migrations,
}

pub(super) fn target(live: &Catalog, expected: &Catalog, choices: &Choices<'_>) -> Target {
    let catalog = Catalog {
        objects: BTreeMap::new(),
        not_read: live.not_read.clone(),
        dependencies: expected.dependencies.with_others(&live.dependencies),
        late: &expected.late | &live.late,
        entangled: &expected.entangled | &live.entangled,
    };
    let (conversions, undecided, optional) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut target = Target { catalog, conversions, undecided, optional };
    for (id, object) in &expected.objects {
        let old = live.objects.get(id);
        let object = if (choices.is_ignored)(id) {
            old.cloned()
        } else if let Some(old) = old {
            Some(target.change(id, old, object, [live, expected], choices))
        } else {
            target.add(live, id, object, choices)
        };
        target.catalog.objects.extend(object.map(|object| (id.clone(), object)));
    }
    for (id, object) in &live.objects {
        let is_extra = !expected.objects.contains_key(id);
        if is_extra && (!choices.drop_extra || (choices.is_ignored)(id)) {
            let object = target.keep(id, object, [live, expected]);
            target.catalog.objects.insert(id.clone(), object);
        }
    }
    target
}

impl Target {
    /// An object that both have: that of the migrations, except for what is undecided.
    fn change(
        &mut self,
        id: &ObjectId,
        old: &Object,
        new: &Object,
        catalogs: [&Catalog; 2],
        choices: &Choices<'_>,
    ) -> Object {
        let mut object = new.clone();
        let comments =
            old.properties.get(&Property::Comment) != new.properties.get(&Property::Comment);
        if comments && is_comment_read(choices.migrations, id) {
            keep_property(&mut object, old, Property::Comment);
        }
        if id.kind == Kind::Column {
            self.change_column(id, old, &mut object, catalogs, choices);
        }
        object
    }

    fn change_column(
        &mut self,
        id: &ObjectId,
        old: &Object,
        object: &mut Object,
        catalogs: [&Catalog; 2],
        choices: &Choices<'_>,
    ) {
        let printed =
            |object: &Object| object.properties.get(&Property::Type).cloned().unwrap_or_default();
        let (from, to) = (printed(old), printed(object));
        let alter = format!("alter table {} alter column {}", table_name(id), quote(&id.name));
        let generated = object.properties.get(&Property::Generated);
        if generated.is_some() && !old.properties.contains_key(&Property::Generated) {
            let reason = format!("{id} would be computed, which loses what is in it");
            self.undecided.push(Undecided { id: Some(id.clone()), reason, sql: Vec::new() });
            *object = old.clone();
            return;
        }
        let own_type = type_name(&to);
        let undecided = match conversion(id, &from, &to, choices.zone, catalogs) {
            Conversion::Plain => None,
            Conversion::Using(expression) => {
                self.conversions.insert(id.clone(), expression);
                None
            }
            Conversion::NeedsZone => Some((
                format!(
                    "{id} would change from {from} to {to}, and nothing says in which time zone its times are: name it with `--assume-timezone`"
                ),
                format!("{alter} type {own_type} using {} at time zone 'UTC';", quote(&id.name)),
            )),
            Conversion::MayLose => Some((
                format!("{id} would change from {from} to {to}, which may lose something or fail"),
                format!("{alter} type {own_type} using {}::{own_type};", quote(&id.name)),
            )),
        };
        if let Some((reason, sql)) = undecided {
            self.undecided.push(Undecided { id: Some(id.clone()), reason, sql: vec![sql] });
            // A default of the new type may be none of the old one.
            let is_time = from.starts_with("timestamp") && to.starts_with("timestamp");
            for property in [Property::Type, Property::Collation] {
                keep_property(object, old, property);
            }
            if !is_time {
                keep_property(object, old, Property::Default);
            }
        }
    }

    /// An object that only the migrations create; none if the live database has another one in its place.
    fn add(
        &mut self,
        live: &Catalog,
        id: &ObjectId,
        object: &Object,
        choices: &Choices<'_>,
    ) -> Option<Object> {
        let is_key = |id: &ObjectId, object: &Object| {
            let definition = object.properties.get(&Property::Definition);
            id.kind == Kind::Constraint
                && definition.is_some_and(|text| text.starts_with("PRIMARY KEY"))
        };
        let same_table = |other: &ObjectId| other.schema == id.schema && other.table == id.table;
        let other_key = live
            .objects
            .iter()
            .find(|(other, found)| is_key(other, found) && same_table(other) && *other != id);
        if let Some((other, _)) = other_key.filter(|_| is_key(id, object) && !choices.drop_extra) {
            let table = table_name(id);
            let reason = format!("{id} would replace the primary key {}", other.name);
            let drop = format!("alter table {table} drop constraint {};", name(other));
            let sql = vec![drop, add_constraint(id, object)];
            self.undecided.push(Undecided { id: Some(id.clone()), reason, sql });
            return None;
        }
        Some(object.clone())
    }

    /// An object that only the live database has. A column of a table of the migrations that must be given a value is
    /// made optional: what writes by the migrations alone does not know it.
    fn keep(&mut self, id: &ObjectId, object: &Object, [live, expected]: [&Catalog; 2]) -> Object {
        let mut object = object.clone();
        let has = |property| object.properties.contains_key(&property);
        let fills_itself = [Property::Default, Property::Identity, Property::Generated];
        let is_required = has(Property::NotNull) && !fills_itself.into_iter().any(has);
        if id.kind != Kind::Column || !is_required || !is_of_table_in(expected, id) {
            return object;
        }
        if is_in_primary_key(live, id) {
            let reason = format!(
                "{id} must be given a value and is part of the primary key: what does not know it cannot insert. Give it a default"
            );
            let alter = format!("alter table {} alter column {}", table_name(id), quote(&id.name));
            let sql = vec![format!("{alter} set default …;")];
            self.undecided.push(Undecided { id: Some(id.clone()), reason, sql });
        } else {
            object.properties.remove(&Property::NotNull);
            object.properties.remove(&Property::NotNullConstraint);
            self.optional.push(id.clone());
        }
        object
    }
}

fn keep_property(object: &mut Object, old: &Object, property: Property) {
    match old.properties.get(&property) {
        Some(value) => object.properties.insert(property, value.clone()),
        None => object.properties.remove(&property),
    };
}

fn is_of_table_in(catalog: &Catalog, part: &ObjectId) -> bool {
    let Some(name) = part.table.clone() else { return false };
    let schema = part.schema.clone();
    catalog.objects.contains_key(&ObjectId { schema, kind: Kind::Table, table: None, name })
}

fn is_in_primary_key(catalog: &Catalog, column: &ObjectId) -> bool {
    catalog.objects.iter().any(|(id, object)| {
        let definition = object.properties.get(&Property::Definition);
        let key = definition.and_then(|text| text.strip_prefix("PRIMARY KEY"));
        id.kind == Kind::Constraint
            && id.schema == column.schema
            && id.table == column.table
            && key.is_some_and(|key| names(key, &column.name))
    })
}

/// True if a script of the migrations looks at the comment of this object: then the comment says whose the object is,
/// or what was changed in it, which is not so where the migrations did not do it.
fn is_comment_read(migrations: &Migrations, id: &ObjectId) -> bool {
    let scripts = migrations.scripts().iter();
    let mut files = scripts.flat_map(|script| std::iter::once(&script.apply).chain(&script.undo));
    files.any(|file| {
        let statements = sql::statements(&file.sql);
        statements.iter().any(|statement| reads_comment(statement.text(&file.sql), id))
    })
}

fn reads_comment(statement: &str, id: &ObjectId) -> bool {
    let catalog = match id.kind {
        Kind::Column => {
            return statement.contains("col_description(")
                && has_word(statement, &id.name)
                && id.table.as_ref().is_some_and(|table| has_word(statement, table));
        }
        Kind::Table
        | Kind::ForeignTable
        | Kind::View
        | Kind::MaterializedView
        | Kind::Index
        | Kind::Sequence => "'pg_class'",
        Kind::Constraint | Kind::DomainConstraint => "'pg_constraint'",
        Kind::Function | Kind::Aggregate => "'pg_proc'",
        Kind::Trigger => "'pg_trigger'",
        Kind::Policy => "'pg_policy'",
        Kind::Schema => "'pg_namespace'",
        Kind::Enum | Kind::Domain | Kind::CompositeType | Kind::RangeType => "'pg_type'",
        Kind::Extension => "'pg_extension'",
        Kind::AccessMethod => "'pg_am'",
        Kind::ForeignDataWrapper => "'pg_foreign_data_wrapper'",
        Kind::Server => "'pg_foreign_server'",
        Kind::Collation => "'pg_collation'",
        Kind::Conversion => "'pg_conversion'",
        Kind::TextSearchDictionary => "'pg_ts_dict'",
        Kind::TextSearchConfiguration => "'pg_ts_config'",
        Kind::Operator => "'pg_operator'",
        Kind::Cast => "'pg_cast'",
        Kind::Transform => "'pg_transform'",
        Kind::Statistics => "'pg_statistic_ext'",
        Kind::Rule => "'pg_rewrite'",
        Kind::EventTrigger => "'pg_event_trigger'",
        Kind::Publication => "'pg_publication'",
        Kind::Other => return false,
    };
    let own = id.name.split('(').next().unwrap_or(&id.name);
    statement.split("obj_description(").skip(1).any(|call| {
        let Some((object, rest)) = call.split_once(',') else { return false };
        // Named in the call, or found by a query around it.
        let text = if object.contains('\'') { object } else { statement };
        rest.trim_start().starts_with(catalog) && has_word(text, own)
    })
}

/// True if a text has a word as a whole, quoted or not.
fn has_word(text: &str, word: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || "_$".contains(character);
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(is_word) && !text[start + word.len()..].starts_with(is_word)
    })
}

/// The statements that let sequences which a script creates for columns that have rows count on from there.
pub(super) fn count_on(live: &Catalog, target: &Catalog) -> Vec<String> {
    let new = target
        .objects
        .iter()
        .filter(|(id, _)| id.kind == Kind::Sequence && !live.objects.contains_key(id));
    let statements = new.filter_map(|(id, object)| {
        let (schema, table, column) =
            split_column(object.properties.get(&Property::OwnedBy)?)?;
        let owner = ObjectId { schema, kind: Kind::Column, table: Some(table), name: column };
        live.objects.contains_key(&owner).then(|| {
            let (table, column) = (table_name(&owner), quote(&owner.name));
            let sequence = sql::literal(&name(id));
            format!(
                "select setval({sequence}, max({column})) from {table} having max({column}) is not null;"
            )
        })
    });
    statements.collect()
}

#[cfg(test)]
mod tests {
    use super::reads_comment;
    use crate::schema::catalog::{Kind, ObjectId};

    #[test]
    fn a_script_that_reads_a_comment_is_found() {
        let named = "if obj_description(to_regclass('users'), 'pg_class') like 'a%' then drop table tasks; end if";
        let by_query = "select obj_description(oid, 'pg_constraint') from pg_constraint where conrelid = 'tasks'::regclass and conname = 'good'";
        let of_column = "select col_description(attrelid, attnum) where attrelid = 'tasks'::regclass and attname = 'priority'";
        for (statement, kind, table, name, expected) in [
            (named, Kind::Table, None, "users", true),
            (named, Kind::Table, None, "tasks", false),
            (by_query, Kind::Constraint, Some("tasks"), "good", true),
            (by_query, Kind::Table, None, "tasks", false),
            (of_column, Kind::Column, Some("tasks"), "priority", true),
            (of_column, Kind::Column, Some("tasks"), "title", false),
            (of_column, Kind::Table, None, "tasks", false),
        ] {
            let (table, name) = (table.map(str::to_owned), name.to_owned());
            let id = ObjectId { schema: None, kind, table, name };
            assert_eq!(reads_comment(statement, &id), expected, "{id}: {statement}");
        }
    }
}
