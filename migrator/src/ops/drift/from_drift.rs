//! Taking a database's side where it is not what its migrations make: the migration that leads
//! there, and noting it as applied where it is already.

use neon_url::DatabaseUrl;
use thiserror::Error;

use crate::connect::session;
use crate::error::exit_code;
use crate::ops::drift::{self, Drift, DriftOptions};
use crate::schema::catalog::{self, Change, Difference};
use crate::schema::generate::{self, Transition};
use crate::schema::shadow::{self, Likeness, UndoFlaw};
use crate::{ConnectOptions, Error, Event, MigrationName, Migrations};

/// Why a database's side cannot be taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LiveSchemaError {
    /// What is pending would be mistaken for what was taken away by hand.
    #[error("not every migration is applied: {} pending", names(pending))]
    Pending {
        /// Which are not.
        pending: Vec<MigrationName>,
    },
    /// The database is not what the migrations make that are to count as applied.
    #[error("the schema is not what {newest} leaves")]
    Differs {
        /// The newest that was to be adopted.
        newest: MigrationName,
        /// How it differs, a line for each.
        differences: Vec<String>,
    },
}

impl LiveSchemaError {
    pub(crate) fn details(&self) -> Vec<String> {
        let mut lines = match self {
            Self::Pending { .. } => Vec::new(),
            Self::Differs { differences, .. } => differences.clone(),
        };
        lines.push("nothing was written".to_owned());
        lines
    }

    pub(crate) fn hint(&self) -> String {
        let hint = match self {
            Self::Pending { .. } => {
                "apply them first: `migrator up` with the same `--dir`; what was made by hand and is in the way, undo"
            }
            Self::Differs { .. } => {
                "`migrator drift --to VERSION` shows the differences: change the migration or the database until there are none"
            }
        };
        hint.to_owned()
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Pending { .. } | Self::Differs { .. } => exit_code::USAGE,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Differs { .. } => "baseline",
        }
    }
}

fn names(list: &[MigrationName]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What was done to a database by hand, as a migration.
#[derive(Clone, Debug)]
pub struct DriftMigration {
    /// How the database differs from what the migrations make.
    pub drift: Drift,
    /// From what the migrations make to what is in the database.
    pub apply: Transition,
    /// The way back.
    pub undo: Transition,
}

/// The migration that makes of what the migrations make what is in the database. Writes nothing.
///
/// Every migration must be applied, and the history must agree with them.
pub async fn migration_from_drift(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    shadow_server: Option<&DatabaseUrl>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<DriftMigration, Error> {
    let pending = crate::pending(url, options, migrations).await?;
    if !pending.is_empty() {
        return Err(LiveSchemaError::Pending { pending }.into());
    }
    let wish = DriftOptions { shadow_server: shadow_server.cloned(), ..DriftOptions::default() };
    let drift = drift::drift(url, options, migrations, &wish, on_event).await?;
    let apply = generate::transition(&drift.made, &drift.live);
    let undo = generate::transition(&drift.live, &drift.made);
    Ok(DriftMigration { drift, apply, undo })
}

/// How a migration that was written after a database compares with it.
#[derive(Debug)]
pub struct Rehearsed {
    /// What still differs with it: the database is the first.
    pub remaining: Vec<Difference>,
    /// What is wrong with the script that undoes it.
    pub flaws: Vec<UndoFlaw>,
}

/// Tries the newest of the migrations in a shadow database: applied, undone and applied again.
pub async fn rehearse_newest(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    shadow_server: Option<&DatabaseUrl>,
    drift: &Drift,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Rehearsed, Error> {
    let connection = session::open(url, options, on_event).await?;
    let likeness = Likeness::read(&connection.client).await;
    connection.close().await;
    let likeness = likeness?;
    let versions: Vec<i32> = migrations.names().map(|name| name.version).collect();
    let before = versions.iter().rev().nth(1).copied().unwrap_or(0);
    let server = shadow_server.unwrap_or(url);
    let proof =
        shadow::prove(server, options, Some(&likeness), migrations, before, false, on_event)
            .await?;
    let remaining = match proof.made {
        Some(made) => catalog::diff(&drift.live, &made),
        None => Vec::new(),
    };
    Ok(Rehearsed { remaining, flaws: proof.flaws })
}

/// Refuses unless the database is what the migrations up to a version make.
pub(crate) async fn require_no_drift(
    url: &DatabaseUrl,
    options: &ConnectOptions,
    migrations: &Migrations,
    newest: &MigrationName,
    shadow_server: Option<&DatabaseUrl>,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<(), Error> {
    let wish = DriftOptions {
        to: Some(newest.version),
        shadow_server: shadow_server.cloned(),
        ..DriftOptions::default()
    };
    let drift = drift::drift(url, options, migrations, &wish, on_event).await?;
    if drift.differences.is_empty() {
        return Ok(());
    }
    let differences = drift.differences.iter().map(describe).collect();
    Err(LiveSchemaError::Differs { newest: newest.clone(), differences }.into())
}

/// A difference between a database and what its migrations make, on a line.
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
