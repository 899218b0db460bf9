//! Checks undo scripts: each migration is applied, undone and applied again in a shadow database,
//! and the catalogs are compared.

use neon_url::DatabaseUrl;
use tokio_postgres::Client;

use super::database::with_shadow;
use super::{DatabaseSettings, settings};
use crate::connect::{self, ConnectOptions};
use crate::error::Error;
use crate::migrations::Migrations;
use crate::model::{Event, MigrationName};
use crate::run::migrate::{self, UndoTarget};
use crate::run::options::RunOptions;
use crate::schema::catalog::{self, Catalog, Difference, ObjectId, ReadOptions};

/// What is wrong with undoing a migration.
#[derive(Debug)]
pub struct UndoFlaw {
    /// Which.
    pub name: MigrationName,
    /// What.
    pub kind: UndoFlawKind,
}

/// What is wrong with undoing.
#[derive(Debug)]
pub enum UndoFlawKind {
    /// There is no script that undoes it.
    NoScript,
    /// The script fails.
    Fails(Box<Error>),
    /// Undone, the database is not what it was before.
    LeavesResidue(CatalogDiff),
    /// Undone, it cannot be applied again.
    CannotReapply(Box<Error>),
    /// Undone and applied again, it does not make the same.
    NotReproducible(CatalogDiff),
}

/// Two catalogs and how they differ.
#[derive(Clone, Debug)]
pub struct CatalogDiff {
    /// What should be there.
    pub expected: Catalog,
    /// What is there.
    pub found: Catalog,
    /// Every difference: what is there is the first.
    pub differences: Vec<Difference>,
}

/// What came of trying.
#[derive(Debug, Default)]
pub(crate) struct UndoCheck {
    /// In the order of the migrations.
    pub(crate) flaws: Vec<UndoFlaw>,
    /// What is there with all migrations applied, each once, unless a flaw was in the way.
    pub(crate) catalog: Option<Catalog>,
}

/// Tries every migration after version `after`; those before are just applied. The error of a
/// migration that fails at the first time is that migration's.
///
/// One that spoils the shadow database, because it cannot be applied again, does not keep those
/// after it from being tried: that is done in another one.
pub(crate) async fn check_undo(
    server: &DatabaseUrl,
    options: &ConnectOptions,
    settings: Option<&DatabaseSettings>,
    migrations: &Migrations,
    after: i32,
    grants: bool,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<UndoCheck, Error> {
    let mut check = UndoCheck::default();
    let mut next = Some(after);
    while let Some(after) = next {
        next = with_shadow(server, options, settings, on_event, async |shadow, on_event| {
            on_event(Event::BuildingShadow { migrations: migrations.len() });
            let mut connection = connect::connect(shadow, options, on_event).await?;
            settings::create_schema(&connection.client, settings)
                .await
                .map_err(|source| Error::Query { action: "prepare the shadow database", source })?;
            let client = &mut connection.client;
            let mut run = Run { shadow, options, migrations, client, grants };
            let spoilt = run.all(after, &mut check).await;
            connection.close().await;
            spoilt
        })
        .await?;
    }
    Ok(check)
}

struct Run<'a> {
    shadow: &'a DatabaseUrl,
    options: &'a ConnectOptions,
    migrations: &'a Migrations,
    client: &'a mut Client,
    /// Whether who may do what is compared too.
    grants: bool,
}

impl Run<'_> {
    /// Returns the version after which nothing could be tried any more, if there is one.
    async fn all(&mut self, after: i32, check: &mut UndoCheck) -> Result<Option<i32>, Error> {
        let newest = self.migrations.names().last().map(|name| name.version);
        let spoilt = |version| Ok(Some(version).filter(|version| Some(*version) != newest));
        let mut before = self.read().await?;
        for script in self.migrations.scripts() {
            let version = script.name.version;
            self.up(version).await.map_err(Error::in_shadow)?;
            if version <= after {
                before = self.read().await?;
                continue;
            }
            let applied = self.read().await?;
            if newest == Some(version) {
                check.catalog = Some(applied.clone());
            }
            let flaw = |kind| UndoFlaw { name: script.name.clone(), kind };
            if script.undo.is_none() {
                check.flaws.push(flaw(UndoFlawKind::NoScript));
                before = applied;
                continue;
            }
            let target = before_version(self.migrations, version);
            if let Err(error) = self.down(target).await {
                check.flaws.push(flaw(UndoFlawKind::Fails(Box::new(of_script(error)?))));
                return spoilt(version);
            }
            let undone = self.read().await?;
            let left = compare(&before, &undone);
            let known: Vec<ObjectId> = ids(left.as_ref()).cloned().collect();
            check.flaws.extend(left.map(|left| flaw(UndoFlawKind::LeavesResidue(left))));
            if let Err(error) = self.up(version).await {
                check.flaws.push(flaw(UndoFlawKind::CannotReapply(Box::new(of_script(error)?))));
                return spoilt(version);
            }
            let again = self.read().await?;
            // What was left before is still there, and said.
            let other = compare(&applied, &again);
            if ids(other.as_ref()).any(|id| !known.contains(id)) {
                check.flaws.extend(other.map(|other| flaw(UndoFlawKind::NotReproducible(other))));
            }
            before = again;
        }
        Ok(None)
    }

    async fn up(&self, to: i32) -> Result<(), Error> {
        let applied =
            migrate::up(self.shadow, self.options, self.migrations, Some(to), &mut |_| {}).await;
        applied.map(drop)
    }

    async fn down(&self, target: UndoTarget) -> Result<(), Error> {
        let (shadow, options, run) = (self.shadow, self.options, RunOptions::default());
        let undone =
            migrate::down(shadow, options, &run, self.migrations, target, &mut |_| {}).await;
        undone.map(drop)
    }

    async fn read(&mut self) -> Result<Catalog, Error> {
        let schemas = catalog::other_schemas(self.client).await?;
        catalog::read(self.client, &ReadOptions { schemas, grants: self.grants }).await
    }
}

/// The error of a script that failed; any other says nothing about the script.
fn of_script(error: Error) -> Result<Error, Error> {
    match error {
        Error::FailedScript(_) | Error::Incomplete(_) => Ok(error),
        other => Err(other),
    }
}

/// To undo one migration is to go back to the one before it.
fn before_version(migrations: &Migrations, version: i32) -> UndoTarget {
    let earlier = migrations.names().map(|name| name.version).take_while(|own| *own < version);
    UndoTarget::Version(earlier.last().unwrap_or(0))
}

fn compare(expected: &Catalog, found: &Catalog) -> Option<CatalogDiff> {
    let differences = catalog::diff(found, expected);
    (!differences.is_empty()).then(|| CatalogDiff {
        expected: expected.clone(),
        found: found.clone(),
        differences,
    })
}

/// What differs.
fn ids(diff: Option<&CatalogDiff>) -> impl Iterator<Item = &ObjectId> {
    diff.into_iter().flat_map(|diff| &diff.differences).map(|one| &one.id)
}
