//! `drift --script`: the statements that take a database to the schema of its migrations.
//!
//! The goal is a catalog: that of the migrations, with what the database keeps ([`target`]). Objects that differ by name
//! only are renamed ([`rename`]), the rest is generated as for a migration. Rows that are in the way are counted
//! ([`rows`]). The script is tried in a copy of the schema before it is shown.

mod conversion;
mod merge;
mod owners;
mod rename;
mod rows;
mod target;
mod text;

use std::collections::BTreeSet;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

pub use self::rows::FoundRows;
pub use self::target::Undecided;
use self::target::{Choices, Target};
pub use self::text::describe as describe_rows;
use crate::error::{Error, LiveSchemaError};
use crate::history;
use crate::model::MigrationName;
use crate::ops::drift::{self, Drift, DriftOptions, Ignored, grants};
use crate::ops::dump;
use crate::run::migrator::Migrator;
use crate::schema::catalog::{
    self, Catalog, Change, Difference, Kind, ObjectId, Property, ReadOptions,
};
use crate::schema::generate::{self, Statement};
use crate::schema::shadow::{self, DatabaseSettings};

const IS_TIMEZONE: &str =
    "select exists (select from pg_catalog.pg_timezone_names where lower(name) = lower($1))";

/// Options of a script. Those of the comparison are in [`DriftOptions`].
#[derive(Clone, Debug, Default)]
pub struct DriftScriptOptions {
    /// Drop what only the database has.
    pub drop_extra: bool,
    /// The time zone of times in columns without one, which become columns with one.
    pub assume_timezone: Option<String>,
}

/// A script that takes a database to the schema of its migrations.
#[derive(Clone, Debug)]
pub struct DriftScript {
    /// The script: one transaction.
    pub sql: String,
    /// The newest migration to whose schema it leads.
    pub leads_to: Option<MigrationName>,
    /// True if the database has no history yet.
    pub without_history: bool,
    /// Rows in the live database that are in the way, or doubtful.
    pub rows: Vec<FoundRows>,
    /// Changes that are left to a person, and not in the script.
    pub undecided: Vec<Undecided>,
    /// Columns that the migrations do not have, and that are made optional.
    pub optional: Vec<ObjectId>,
    /// Statements that lose something.
    pub lossy: Vec<Statement>,
    /// Differences that remain after the script; the database is the first.
    pub remaining: Vec<Difference>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// Writes the script from the schema of a database to that of its migrations, and tries it in a copy of the schema. The
/// database itself is only read.
///
/// Leads to the newest migration that is applied, of a database without a history to the newest of all, or to
/// [`DriftOptions::to`]. Privileges of roles are left as they are.
///
/// Fails as [`drift::drift`] does, with [`LiveSchemaError::UnknownTimezone`], and with
/// [`crate::ShadowError::Copy`] or [`crate::ShadowError::Try`] if the script cannot be tried or fails.
pub async fn drift_script(
    migrator: &mut Migrator<'_>,
    request: &DriftOptions,
    options: &DriftScriptOptions,
) -> Result<DriftScript, Error> {
    let mut connection = migrator.open().await?;
    let client = &mut connection.client;
    let zone = options.assume_timezone.as_deref();
    require_timezone(client, zone).await?;
    let without_history = history::read(client).await?.applied.is_empty();
    let newest = migrator.migrations.names().last().map(|name| name.version);
    let to = request.to.or(newest.filter(|_| without_history));
    let drift =
        drift::drift(migrator, &DriftOptions { to, grants: false, ..request.clone() }).await?;

    let settings = DatabaseSettings::read(client).await?;
    let ignored = Ignored { names: &request.ignored, main: settings.schema() };
    let is_ignored = |id: &ObjectId| ignored.contains(id, &[&drift.live, &drift.expected]);
    let [mut live, expected] =
        [&drift.live, &drift.expected].map(|catalog| grants::without(catalog, &[Property::Grants]));
    let renamed = rename::rename(&mut live, &expected, is_ignored);
    let choices = Choices {
        drop_extra: options.drop_extra,
        zone,
        is_ignored: &is_ignored,
        migrations: migrator.migrations,
    };
    let Target { catalog: target, conversions, mut undecided, optional } =
        target::target(&live, &expected, &choices);
    let mut transition = generate::transition_using(&live, &target, &conversions);
    let lost = lost_privileges(&drift, &transition.recreated);
    let mut todos = std::mem::take(&mut transition.todos);
    leave_to_rows(&mut todos, &mut transition.statements);
    undecided.extend(todos.into_iter().map(|reason| Undecided {
        id: None,
        reason,
        sql: Vec::new(),
    }));
    let mut rows = rows::queries(&live, &target, zone);
    rows::count(client, &mut rows).await?;

    let mut statements = renamed;
    statements.extend(merge::merge(transition.statements));
    owners::add(&mut statements, &live, &target);
    let count_on = target::count_on(&live, &target).into_iter();
    statements.extend(count_on.map(|sql| {
        let remarks = vec!["Counts on from where the rows are.".to_owned()];
        Statement { remarks, sql }
    }));
    let lossy = |statement: &&Statement| {
        statement.remarks.iter().any(|remark| remark.starts_with(generate::LOST))
    };
    let mut script = DriftScript {
        sql: String::new(),
        leads_to: drift.compared_to.clone(),
        without_history,
        lossy: statements.iter().filter(lossy).cloned().collect(),
        rows,
        undecided,
        optional,
        remaining: Vec::new(),
        notes: suspected_renames(&drift).into_iter().chain(lost).collect(),
    };
    let body = text::body(settings.schema(), &statements, &script.rows);
    let everything = ReadOptions { schemas: catalog::other_schemas(client).await?, grants: false };
    let whole = catalog::read(client, &everything).await?;
    connection.close().await;

    // As the others were read, which lists the main schema too.
    let read = ReadOptions { schemas: schemas(&drift.expected), grants: true };
    let copy = dump::copy(&whole);
    let server = &request.shadow_server;
    let result = shadow::run_in_copy(migrator, server, &settings, &copy, &body, &read).await?;
    // The copy has no privileges: there is nothing to compare them with.
    let kinds = [Property::Grants, Property::PublicGrants];
    let [result, target, expected] =
        [&result, &target, &expected].map(|catalog| grants::without(catalog, &kinds));
    script.remaining = catalog::diff(&result, &expected);
    script.remaining.retain(|difference| !is_ignored(&difference.id));
    script.undecided.extend(unreached(&script, &target, &expected));
    script.rows.retain(|rows| rows.count != Some(0));
    script.sql = text::script(&script, &body);
    Ok(script)
}

impl DriftScript {
    /// True if the script can be run as it is, and leads to the schema of the migrations but for what is kept.
    pub fn is_complete(&self) -> bool {
        self.undecided.is_empty()
            && !self.rows.iter().any(|rows| rows.blocks && rows.count.is_some())
    }

    /// What the database keeps of its own: one line for each difference that remains.
    pub fn kept(&self) -> Vec<String> {
        let undecided =
            |id: &ObjectId| self.undecided.iter().any(|change| change.id.as_ref() == Some(id));
        let kept = self.remaining.iter().filter(|difference| !undecided(&difference.id));
        kept.map(|difference| match &difference.change {
            Change::Changed(changes) => {
                let names: Vec<&str> = changes.iter().map(|(name, ..)| name.as_str()).collect();
                format!("{} of {}", names.join(", "), difference.id)
            }
            _ => difference.id.to_string(),
        })
        .collect()
    }
}

/// Takes away what is said of new columns that rows have no value for: such rows are counted here.
fn leave_to_rows(todos: &mut Vec<String>, statements: &mut [Statement]) {
    for statement in statements {
        let number = statement.remarks.len();
        statement.remarks.retain(|remark| !remark.starts_with(generate::NEEDS_VALUES));
        if statement.remarks.len() < number {
            todos.retain(|todo| !todo.contains("is not null and has no default"));
        }
    }
}

async fn require_timezone(client: &Client, zone: Option<&str>) -> Result<(), Error> {
    let Some(zone) = zone else { return Ok(()) };
    let row = client.query_typed_one(IS_TIMEZONE, &[(&zone, Type::TEXT)]).await;
    let row = row.map_err(|source| Error::Query { action: "look for the time zone", source })?;
    if row.get(0) {
        Ok(())
    } else {
        Err(LiveSchemaError::UnknownTimezone { zone: zone.to_owned() }.into())
    }
}

/// The schemas other than the main one in which the migrations create something.
fn schemas(expected: &Catalog) -> Vec<String> {
    let mut schemas: Vec<String> = expected
        .objects
        .keys()
        .filter_map(|id| match id.kind {
            Kind::Schema => Some(id.name.clone()),
            _ => id.schema.clone(),
        })
        .collect();
    schemas.sort();
    schemas.dedup();
    schemas
}

/// Differences that neither the target nor an undecided change explains.
fn unreached(script: &DriftScript, target: &Catalog, expected: &Catalog) -> Vec<Undecided> {
    let explained = catalog::diff(target, expected);
    let is_known = |difference: &&Difference| {
        explained.contains(difference)
            || script.undecided.iter().any(|change| change.id.as_ref() == Some(&difference.id))
            || script.undecided.iter().any(|change| {
                change.id.is_none() && change.reason.contains(&difference.id.to_string())
            })
    };
    let remaining = script.remaining.iter().filter(|difference| !is_known(difference));
    remaining
        .map(|difference| Undecided {
            id: Some(difference.id.clone()),
            reason: format!(
                "no statement is known for this: {}",
                drift::from_drift::describe(difference)
            ),
            sql: Vec::new(),
        })
        .collect()
}

/// Recreated objects on which roles have privileges.
fn lost_privileges(drift: &Drift, recreated: &BTreeSet<ObjectId>) -> Vec<String> {
    let has_grants = |id: &&ObjectId| {
        let object = drift.live.objects.get(*id);
        drift.other_grants.contains(id)
            || object.is_some_and(|object| object.properties.contains_key(&Property::Grants))
    };
    let lost = recreated.iter().filter(has_grants);
    lost.map(|id| format!("{id} is recreated: grant the privileges of roles on it again")).collect()
}

/// Columns that may be the same under two names: the script keeps one, empty for the API, and adds the other.
fn suspected_renames(drift: &Drift) -> Vec<String> {
    let columns = |own: &'_ Catalog, other: &'_ Catalog| -> Vec<(ObjectId, Option<String>)> {
        own.objects
            .iter()
            .filter(|(id, _)| id.kind == Kind::Column && !other.objects.contains_key(id))
            .map(|(id, object)| {
                let printed = object.properties.get(&Property::Type);
                (id.clone(), printed.map(|printed| conversion::TypeName::parse(printed).base))
            })
            .collect()
    };
    let old = columns(&drift.live, &drift.expected);
    let new = columns(&drift.expected, &drift.live);
    let mut notes = Vec::new();
    for (old, old_type) in &old {
        let same = new.iter().filter(|(new, new_type)| {
            new.schema == old.schema && new.table == old.table && new_type == old_type
        });
        for (new, _) in same {
            let table = catalog::render::table_name(old);
            let (from, to) =
                (catalog::quoting::quote(&old.name), catalog::quoting::quote(&new.name));
            notes.push(format!(
                "if {old} is what the migrations call {}, rename it first, and write the script again: alter table {table} rename column {from} to {to};",
                new.name
            ));
        }
    }
    notes
}
