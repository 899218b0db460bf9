//! `baseline`: mark migrations as applied on an existing schema, without running them.

mod comparison;

use tokio_postgres::Client;

use crate::connect::{Connection, session};
use crate::error::{Error, IncompleteError};
use crate::history;
use crate::migrations::{Migrations, Script};
use crate::model::{Direction, MigrationName};
use crate::ops::baseline::comparison::Comparison;
use crate::ops::drift::from_drift;
use crate::ops::grant::RequiredColumn;
use crate::run::migrator::Migrator;
use crate::schema::shadow::ShadowServer;

/// The version that matches the schema of the API's predecessor.
const PREDECESSOR: i64 = 1;

const ALEMBIC_EXISTS: &str = "select pg_catalog.to_regclass('alembic_version') is not null";

const ALEMBIC_REVISIONS: &str = "select version_num::text from alembic_version order by 1";

/// Claimed state of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaselineTarget {
    /// The schema of the migrations up to and including this version.
    Version(i64),
    /// The schema that Alembic created for the API's predecessor.
    Alembic,
}

/// Result of a baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The migrations that count as applied, oldest first.
    pub adopted: Vec<MigrationName>,
    /// Alembic's revision, if it was read. Its table is not changed.
    pub alembic_revision: Option<String>,
    /// Differences from the migrations that remain.
    pub warnings: Vec<String>,
}

impl<'a> Migrator<'a> {
    /// Plan of [`Self::baseline`], with the same errors. Writes nothing to the database itself.
    pub async fn plan_baseline(
        &mut self,
        target: BaselineTarget,
        shadow_server: &ShadowServer,
    ) -> Result<Baseline, Error> {
        let scripts = scripts(self.migrations, target)?;
        let mut connection = self.open().await?;
        let examined = self.examine(&mut connection, scripts, target, shadow_server).await;
        connection.close().await;
        examined.map(|(baseline, _)| baseline)
    }

    /// Records the migrations of an existing schema as applied, all of them or none. Fails if the schema
    /// lacks an object that they create: it is compared with a shadow database, on `shadow_server` or beside
    /// the live one.
    ///
    /// With a history, these are the migrations after it, and the schema must be exactly the one that
    /// they create.
    pub async fn baseline(
        &mut self,
        target: BaselineTarget,
        shadow_server: &ShadowServer,
    ) -> Result<Baseline, Error> {
        let scripts = scripts(self.migrations, target)?;
        let mut connection = self.open_locked().await?;
        let result = async {
            let (baseline, scripts) =
                self.examine(&mut connection, scripts, target, shadow_server).await?;
            let client = &mut connection.client;
            history::create_table(client).await?;
            record_all(client, scripts)
                .await
                .map_err(|source| Error::Query { action: "write the history", source })?;
            Ok(baseline)
        }
        .await;
        session::close_locked(connection).await;
        result
    }

    /// Fails if the schema differs from that of the scripts. Also returns which of them are not in the
    /// history.
    async fn examine(
        &mut self,
        connection: &mut Connection,
        scripts: &'a [Script],
        target: BaselineTarget,
        shadow_server: &ShadowServer,
    ) -> Result<(Baseline, &'a [Script]), Error> {
        let client = &mut connection.client;
        let Some(newest) = newest_applied(client, self.migrations).await? else {
            let mut baseline = self.check_schema(client, scripts, target, shadow_server).await?;
            baseline.warnings.extend(required_columns(client).await?);
            return Ok((baseline, scripts));
        };
        let later = later(scripts, &newest, target)?;
        let adopted: Vec<MigrationName> = later.iter().map(|script| script.name.clone()).collect();
        if let Some(newest) = adopted.last() {
            from_drift::require_no_drift(self, newest, shadow_server).await?;
        }
        let warnings = required_columns(client).await?;
        Ok((Baseline { adopted, alembic_revision: None, warnings }, later))
    }

    /// Fails if the schema lacks something that the scripts create.
    async fn check_schema(
        &mut self,
        client: &mut Client,
        scripts: &[Script],
        target: BaselineTarget,
        shadow_server: &ShadowServer,
    ) -> Result<Baseline, Error> {
        let alembic_revision = match target {
            BaselineTarget::Version(_) => None,
            BaselineTarget::Alembic => Some(read_alembic_revision(client).await?),
        };
        let adopted: Vec<MigrationName> =
            scripts.iter().map(|script| script.name.clone()).collect();
        let Some(newest) = adopted.last() else {
            return Ok(Baseline { adopted, alembic_revision, warnings: Vec::new() });
        };
        let Comparison { missing, other, not_compared } =
            comparison::compare(self, client, newest.version, shadow_server).await?;
        if !missing.is_empty() {
            return Err(Error::SchemaDiffers { newest: newest.clone(), missing });
        }
        let other = other.iter().map(|object| {
            // `function f()` becomes "the function `f()`".
            let (kind, name) = object.rsplit_once(' ').unwrap_or(("object", object));
            format!(
                "the {kind} `{name}` is not the one that the migrations make, and stays as it is: replace it by hand or with a new migration"
            )
        });
        let mut warnings: Vec<String> = other.collect();
        if !not_compared.is_empty() {
            warnings.push(format!("not compared: {}", not_compared.join(", ")));
        }
        Ok(Baseline { adopted, alembic_revision, warnings })
    }
}

/// The scripts that are to count as applied.
fn scripts(migrations: &Migrations, target: BaselineTarget) -> Result<&[Script], Error> {
    let version = match target {
        BaselineTarget::Version(version) => version,
        BaselineTarget::Alembic => PREDECESSOR,
    };
    migrations.require(Some(version))?;
    let scripts = migrations.scripts();
    Ok(&scripts[..scripts.partition_point(|script| script.name.version <= version)])
}

async fn newest_applied(
    client: &mut Client,
    migrations: &Migrations,
) -> Result<Option<MigrationName>, Error> {
    let recorded = history::read(client).await?;
    history::pending(migrations, &recorded)?;
    if let Some(record) = recorded.incomplete {
        return Err(IncompleteError::Unfinished(Box::new(record)).into());
    }
    Ok(recorded.applied.last().map(|newest| newest.name.clone()))
}

/// Of the scripts that are to count as applied, those that do not yet.
fn later<'a>(
    scripts: &'a [Script],
    newest: &MigrationName,
    target: BaselineTarget,
) -> Result<&'a [Script], Error> {
    let later = &scripts[scripts.partition_point(|script| script.name.version <= newest.version)..];
    if later.is_empty() || target == BaselineTarget::Alembic {
        return Err(Error::HistoryExists { newest: newest.clone() });
    }
    Ok(later)
}

/// Warnings about columns that make the API's inserts fail.
async fn required_columns(client: &Client) -> Result<Vec<String>, Error> {
    let columns = RequiredColumn::find(client, None).await?;
    Ok(columns.iter().map(|column| format!("{}; {}", column.problem(), column.advice())).collect())
}

async fn read_alembic_revision(client: &Client) -> Result<String, Error> {
    let refused = |source| Error::Query { action: "read Alembic's table", source };
    let exists: bool = client.query_typed_one(ALEMBIC_EXISTS, &[]).await.map_err(refused)?.get(0);
    let no = |reason: &str| Error::Alembic { reason: reason.to_owned() };
    if !exists {
        return Err(no("there is no table `alembic_version`"));
    }
    let rows = client.query_typed(ALEMBIC_REVISIONS, &[]).await.map_err(refused)?;
    match &rows[..] {
        [row] => Ok(row.get(0)),
        [] => Err(no("`alembic_version` is empty, so Alembic has applied nothing")),
        rows => {
            let revisions: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
            let revisions = revisions.join(", ");
            Err(no(&format!("`alembic_version` has more than one revision: {revisions}")))
        }
    }
}

async fn record_all(client: &mut Client, scripts: &[Script]) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    for script in scripts {
        history::note_run(script, Direction::Apply).execute(&transaction).await?;
    }
    transaction.commit().await
}
