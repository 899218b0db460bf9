//! Checks undo scripts: each migration is applied, undone and applied again in a shadow database,
//! and the catalogs are compared.

use super::database::{ShadowRequest, with_shadow};
use super::inspect::Inspection;
use super::{DatabaseSettings, ShadowServer, build};
use crate::connect::Connection;
use crate::error::{Error, ScriptError};
use crate::migrations::Migrations;
use crate::model::MigrationName;
use crate::run::migrator::Migrator;
use crate::run::plan::{Target, UndoTarget};
use crate::schema::catalog::{self, Catalog, Difference, ObjectId, ReadOptions};

/// A flaw of a migration's undo script.
#[derive(Debug)]
pub struct UndoFlaw {
    /// Which.
    pub name: MigrationName,
    /// Kind of flaw.
    pub kind: UndoFlawKind,
}

/// Kinds of flaws.
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
    /// Undone and applied again, it creates another schema.
    NotReproducible(CatalogDiff),
}

/// Two catalogs and how they differ.
#[derive(Clone, Debug)]
pub struct CatalogDiff {
    /// Expected schema.
    pub expected: Catalog,
    /// Actual schema.
    pub found: Catalog,
    /// Every difference: what is there is the first.
    pub differences: Vec<Difference>,
}

/// Result of the check.
#[derive(Debug, Default)]
pub(crate) struct UndoCheck {
    /// In the order of the migrations.
    pub(crate) flaws: Vec<UndoFlaw>,
    /// Schema with all migrations applied once each, unless a flaw prevented it.
    pub(crate) catalog: Option<Catalog>,
    /// Major version of the server.
    pub(crate) server_version: i32,
}

/// Tries every migration after version `after`; those before are just applied. The error of a
/// migration that fails at the first time is that migration's.
///
/// One that spoils the shadow database, because it cannot be applied again, does not keep those
/// after it from being tried: that is done in another one.
pub(crate) async fn check_undo(
    live: &mut Migrator<'_>,
    server: &ShadowServer,
    settings: Option<&DatabaseSettings>,
    after: i64,
    grants: bool,
) -> Result<UndoCheck, Error> {
    let mut check = UndoCheck::default();
    let inspection = Inspection::of(live.migrations, None, Some(after));
    let request = ShadowRequest { server, settings, inspection: &inspection };
    let mut next = Some(after);
    while let Some(after) = next {
        next = with_shadow(live, &request, async |mut shadow, main| {
            let number = shadow.migrations.len();
            let connection = build::prepare(&mut shadow, &main, number).await?;
            check.server_version = build::server_version(&connection.client).await?;
            let vouched = inspection.is_vouched();
            let mut run = Run { shadow, connection, grants, vouched };
            let spoilt = run.all(after, &mut check).await;
            run.connection.close().await;
            spoilt
        })
        .await?;
    }
    Ok(check)
}

struct Run<'a> {
    shadow: Migrator<'a>,
    connection: Connection,
    /// Compare privileges too.
    grants: bool,
    /// A person has vouched for a statement.
    vouched: bool,
}

impl Run<'_> {
    /// Returns the version after which nothing could be tried any more, if there is one.
    async fn all(&mut self, after: i64, check: &mut UndoCheck) -> Result<Option<i64>, Error> {
        let migrations = self.shadow.migrations;
        let newest = migrations.names().last().map(|name| name.version);
        let spoilt = |version| Ok(Some(version).filter(|version| Some(*version) != newest));
        let mut before = self.read().await?;
        for script in migrations.scripts() {
            let version = script.name.version;
            let vouched = self.vouched;
            self.up(version).await.map_err(|error| error.in_shadow(vouched))?;
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
            let target = before_version(migrations, version);
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
            // Residue that was reported before is still there.
            let other = compare(&applied, &again);
            if ids(other.as_ref()).any(|id| !known.contains(id)) {
                check.flaws.extend(other.map(|other| flaw(UndoFlawKind::NotReproducible(other))));
            }
            before = again;
        }
        Ok(None)
    }

    async fn up(&mut self, to: i64) -> Result<(), Error> {
        build::migrate(&mut self.shadow, Target::Up(Some(to))).await
    }

    async fn down(&mut self, target: UndoTarget) -> Result<(), Error> {
        build::migrate(&mut self.shadow, Target::Down(target)).await
    }

    async fn read(&mut self) -> Result<Catalog, Error> {
        let client = &mut self.connection.client;
        let schemas = catalog::other_schemas(client).await?;
        let mut read = ReadOptions { schemas, grants: self.grants };
        let mut catalog = catalog::read(client, &read).await?;
        build::drop_unused_public(&mut catalog, &mut read.schemas);
        Ok(catalog)
    }
}

/// The error of a script that failed; any other says nothing about the script.
fn of_script(error: Error) -> Result<Error, Error> {
    match error {
        Error::FailedScript(failed) if matches!(failed.cause, ScriptError::BeyondDatabase) => {
            Err(Error::FailedScript(failed).in_shadow(false))
        }
        Error::FailedScript(_) | Error::Incomplete(_) => Ok(error),
        other => Err(other),
    }
}

/// To undo one migration is to go back to the one before it.
fn before_version(migrations: &Migrations, version: i64) -> UndoTarget {
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

/// Objects that differ.
fn ids(diff: Option<&CatalogDiff>) -> impl Iterator<Item = &ObjectId> {
    diff.into_iter().flat_map(|diff| &diff.differences).map(|one| &one.id)
}
