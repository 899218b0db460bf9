//! Generating a migration from drift, and checking that a database has no drift.

use crate::error::{Error, LiveSchemaError};
use crate::model::MigrationName;
use crate::ops::drift::{self, Drift, DriftOptions};
use crate::run::migrator::Migrator;
use crate::schema::catalog::{self, Catalog, Change, Difference, ObjectId};
use crate::schema::generate::{self, Transition};
use crate::schema::shadow::{self, DatabaseSettings, ShadowServer, UndoFlaw};

/// Migrations generated from manual changes of a database.
#[derive(Clone, Debug)]
pub struct DriftMigrations {
    /// Differences between the database and the schema of its migrations.
    pub drift: Drift,
    /// New labels of enumerated types, if the other migration uses them: that takes a transaction of
    /// its own before.
    pub labels: Option<GeneratedMigration>,
    /// Everything else.
    pub changes: GeneratedMigration,
}

/// A generated migration.
#[derive(Clone, Debug)]
pub struct GeneratedMigration {
    /// From the schema before it to that after it.
    pub apply: Transition,
    /// The way back.
    pub undo: Transition,
}

impl GeneratedMigration {
    /// `other_grants` are objects with privileges that no script restores.
    fn new(before: &Catalog, after: &Catalog, other_grants: &[ObjectId]) -> Self {
        let mut apply = generate::transition(before, after);
        let mut undo = generate::transition(after, before);
        for transition in [&mut apply, &mut undo] {
            let lost = other_grants.iter().filter(|id| transition.recreated.contains(id));
            transition.todos.extend(lost.map(|id| {
                format!("{id} is recreated, and the privileges of roles that only the database has are lost where they are: grant them again")
            }));
        }
        Self { apply, undo }
    }
}

/// Generates the migrations from the schema of the migrations to that of the database. Writes nothing.
///
/// Every migration must be applied, and the history must agree with them.
pub async fn migrations_from_drift(
    migrator: &mut Migrator<'_>,
    shadow_server: &ShadowServer,
) -> Result<DriftMigrations, Error> {
    let pending = migrator.pending().await?;
    if !pending.is_empty() {
        return Err(LiveSchemaError::Pending { pending }.into());
    }
    let request = DriftOptions { shadow_server: shadow_server.clone(), ..DriftOptions::default() };
    let drift = drift::drift(migrator, &request).await?;
    let (expected, live) = (&drift.expected, &drift.live);
    let between = generate::with_used_labels(expected, live);
    let generate = |before, after| GeneratedMigration::new(before, after, &drift.other_grants);
    let labels = between.as_ref().map(|between| generate(expected, between));
    let changes = generate(between.as_ref().unwrap_or(expected), live);
    Ok(DriftMigrations { drift, labels, changes })
}

/// Result of testing generated migrations.
#[derive(Debug)]
pub struct Rehearsed {
    /// Differences that remain with them; the database is the first.
    pub remaining: Vec<Difference>,
    /// Flaws of their undo scripts.
    pub flaws: Vec<UndoFlaw>,
}

/// Tries the newest of the migrations in a shadow database, so many of them: each is applied, undone and
/// applied again.
pub async fn rehearse_newest(
    migrator: &mut Migrator<'_>,
    shadow_server: &ShadowServer,
    drift: &Drift,
    number: usize,
) -> Result<Rehearsed, Error> {
    let settings = DatabaseSettings::read_from(&migrator.database, migrator.on_event).await?;
    let versions: Vec<i64> = migrator.migrations.names().map(|name| name.version).collect();
    let before = versions.iter().rev().nth(number).copied().unwrap_or(0);
    let settings = Some(&settings);
    let check = shadow::check_undo(migrator, shadow_server, settings, before, true).await?;
    let remaining = match check.catalog {
        Some(catalog) => catalog::diff(&drift.live, &catalog),
        None => Vec::new(),
    };
    Ok(Rehearsed { remaining, flaws: check.flaws })
}

/// Fails unless the database has the schema of the migrations up to a version.
pub(crate) async fn require_no_drift(
    migrator: &mut Migrator<'_>,
    newest: &MigrationName,
    shadow_server: &ShadowServer,
) -> Result<(), Error> {
    let request = DriftOptions {
        to: Some(newest.version),
        shadow_server: shadow_server.clone(),
        ..DriftOptions::default()
    };
    let drift = drift::drift(migrator, &request).await?;
    if drift.differences.is_empty() {
        return Ok(());
    }
    let differences = drift.differences.iter().map(describe).collect();
    Err(LiveSchemaError::Differs { newest: newest.clone(), differences }.into())
}

/// One line about a difference between a database and its migrations.
pub fn describe(difference: &Difference) -> String {
    let id = &difference.id;
    match &difference.change {
        Change::OnlyInFirst => format!("only the database has {id}"),
        Change::OnlyInSecond => format!("only the migrations make {id}"),
        Change::Changed(properties) => {
            let properties: Vec<&str> =
                properties.iter().map(|(property, ..)| property.as_str()).collect();
            format!("{id} has another {}", properties.join(", "))
        }
    }
}
