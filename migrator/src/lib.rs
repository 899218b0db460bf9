//! Owns the database schema: applies migrations, undoes them, writes the scripts that do so by
//! hand, adopts a schema that is there already, tells where a database stands and whether it is
//! healthy, and gives the API's role its rights.
//!
//! Migrations are files `V{version}__{name}.sql`, each with the script that undoes it beside it
//! (`V{version}__{name}.down.sql`). Names, checksums and the table of applied migrations are
//! refinery's, so that plain refinery can take over; the running is done here, because a migration
//! must be locked, placed in its file when it fails, and proven to have stayed within its
//! transaction.
//!
//! The objects of a database are read into a [`Catalog`], which [`drift()`] compares with what the
//! migrations make in a shadow database, and [`dump()`] writes down.
//!
//! Invariants: a migration and its row in the history are one transaction, so it is applied
//! entirely or not at all; one that asks to run without a transaction has a note of what is done of
//! it, which survives whatever happens, and nothing else runs before that is cleared up. Whoever
//! writes holds one advisory lock. Whoever reads writes nothing, not even the history table. A shadow
//! database is always removed. No message has a password.
//!
//! Layers, each importing only from those after it: `ops/` (the commands), `schema/` (catalogs,
//! generated SQL, shadow databases), `run/` (`up`, `down` and the execution of scripts), `history/`
//! (the tables of applied and incomplete migrations), `connect/` and `migrations/` (the files),
//! `error/` and `sql/` (splitting scripts), `model/`. Only `ops/grant/` knows the API's tables.
//!
//! Start reading at [`Migrator::run`] in `run/migrator.rs`.

mod connect;
mod error;
mod history;
mod migrations;
mod model;
mod ops;
mod run;
mod schema;
mod sql;

pub use connect::advisory_lock::LOCK_KEY;
pub use connect::tls::{TlsReport, tls_config};
pub use connect::{ConnectOptions, ConnectPhase, ConnectPhases, Database};
pub use error::{
    BeyondDatabase, CatalogError, Divergence, DumpError, Error, FailedScript, IncompleteError,
    LineEnding, LiveSchemaError, LockLoss, LostDuring, RoleObjection, ScriptError, ShadowError,
    Signal, exit_code,
};
pub use history::{AppliedMigration, Entry, State};
pub use migrations::Migrations;
pub use migrations::new_files::NewMigrationFiles;
pub use model::text::count;
pub use model::{
    Direction, Event, Incomplete, IncompleteState, LockHolder, MigrationName, Notice, Outcome,
    Position, Progress, RetryReason, ServerProgress, TransactionMode,
};
pub use ops::baseline::{Baseline, BaselineTarget};
pub use ops::check::{CheckFinding, CheckKind, CheckOptions};
pub use ops::drift::from_drift::{
    DriftMigrations, GeneratedMigration, Rehearsed, describe, migrations_from_drift,
    rehearse_newest,
};
pub use ops::drift::script::{
    DriftScript, DriftScriptOptions, FoundRows, Undecided, describe_rows, drift_script,
};
pub use ops::drift::{Drift, DriftOptions, drift};
pub use ops::dump::{DumpSource, dump};
pub use ops::grant::{GrantOptions, GrantPlan, GrantStatement, Purpose, grant, plan_grant};
pub use ops::health::{
    ConnectTimes, Connections, EndpointCheck, EndpointReport, ExceededLimit, HealthLimits,
    HealthOptions, HealthReport, HealthWarning, MigrationCounts, OldestTransaction, PhaseTimes,
    PreparedStatements, RoundTrips, SequenceUse, TransactionAge, check_health,
};
pub use ops::lint::{Finding, LintReport, lint};
pub use ops::offline_sql::{OfflineRange, OfflineScript, offline_script};
pub use ops::repair::{Repair, RepairAction};
pub use ops::role::RoleReport;
pub use run::migrator::Migrator;
pub use run::options::RunOptions;
pub use run::plan::{PlannedMigration, Target, UndoTarget};
pub use schema::catalog::{Catalog, Change, Difference, Kind, Object, ObjectId, Property};
pub use schema::generate::{Statement, Transition, script, transition};
pub use schema::shadow::{CatalogDiff, ShadowServer, UndoFlaw, UndoFlawKind};
