//! Owns the database schema: applies migrations, undoes them, writes the scripts that do so by hand,
//! adopts a schema that is there already, tells where a database stands and whether it is healthy,
//! and gives the API's role its rights.
//!
//! Migrations are files `V{version}__{name}.sql`, each with the script that undoes it beside it
//! (`V{version}__{name}.down.sql`). Names, checksums and the table of applied migrations are
//! refinery's, so that plain refinery can take over; the running is done here, because a migration
//! must be locked, placed in its file when it fails, and proven to have stayed within its
//! transaction.
//!
//! What a database consists of is read into a [`Catalog`], which [`drift()`] compares with what the
//! migrations make in a shadow database, and [`dump()`] writes down.
//!
//! Invariants: a migration and its row in the history are one transaction, so it is applied
//! entirely or not at all; one that asks to run without a transaction has a note of what is done of
//! it, which survives whatever happens, and nothing else runs before that is cleared up. Whoever
//! writes holds one advisory lock. Whoever reads writes nothing, not even the history table; only
//! [`plan_baseline`] makes something, and rolls it back. A shadow database is always removed. No
//! message has a password.
//!
//! Start reading at [`up`]; `migrations.rs` is the set of files, `history.rs` what the database
//! says about them. [`grant()`] is a second beginning: `grant/` knows the tables of the API, which
//! nothing else here does.

mod advice;
mod apply;
mod baseline;
mod by_hand;
mod by_hand_statements;
mod catalog;
mod check;
mod connect;
mod directive;
mod drift;
mod dump;
mod error;
mod event;
mod excerpt;
pub mod exit_code;
mod failed_script;
mod failure;
mod grant;
mod health;
mod history;
mod in_transaction;
mod incomplete;
mod incomplete_error;
mod invalid_index;
mod limits;
mod lint;
mod live_schema;
mod lock;
mod migrations;
mod options;
mod pair;
mod position;
mod rehearsal;
mod repair;
mod retry;
mod role;
mod run;
mod session;
mod shadow;
mod sql;
mod step;
mod stepwise;
mod tls;
mod transition;
mod watch;

pub use apply::{
    PlannedMigration, UndoTarget, current, down, pending, plan_down, plan_up, status, up, up_with,
};
pub use baseline::{Baseline, BaselineTarget, baseline, plan_baseline};
pub use by_hand::{ManualRange, ManualScript, manual_script};
pub use catalog::{Catalog, CatalogError, Change, Difference, Kind, Object, ObjectId, Property};
pub use check::{CheckFinding, CheckKind, CheckOptions, check};
pub use connect::{ConnectOptions, ConnectPhase, ConnectPhases};
pub use directive::TransactionMode;
pub use drift::{Drift, DriftOptions, drift};
pub use dump::{DumpError, DumpSource, dump};
pub use error::{Divergence, Error, LostDuring};
pub use event::{Event, LockHolder};
pub use failed_script::{Direction, FailedScript, Outcome, Progress};
pub use grant::{GrantOptions, GrantPlan, GrantStatement, Purpose, grant, plan_grant};
pub use health::{
    ConnectTimes, Connections, EndpointCheck, EndpointReport, ExceededLimit, HealthLimits,
    HealthOptions, HealthReport, HealthWarning, MigrationCounts, OldestTransaction, PhaseTimes,
    PreparedStatements, RoundTrips, SequenceUse, TransactionAge, check_health,
};
pub use history::{AppliedMigration, Entry, State};
pub use incomplete::{Incomplete, IncompleteState};
pub use incomplete_error::IncompleteError;
pub use lint::{Finding, LintReport, lint};
pub use live_schema::{
    DriftMigration, LiveSchemaError, Rehearsed, describe, migration_from_drift, rehearse_newest,
};
pub use lock::LOCK_KEY;
pub use migrations::{MigrationName, Migrations};
pub use options::RunOptions;
pub use pair::PairOfFiles;
pub use position::Position;
pub use repair::{Repair, RepairWish, plan_repair, repair};
pub use retry::RetryReason;
pub use role::{RoleObjection, RoleReport};
pub use shadow::{Contrast, ShadowError, Signal, UndoFlaw, UndoFlawKind};
pub use tls::{TlsReport, tls_config};
pub use transition::{Statement, Transition, script, transition};
pub use watch::ServerProgress;
