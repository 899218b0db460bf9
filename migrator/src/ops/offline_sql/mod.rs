//! `sql`: the script that does by hand what [`crate::Migrator::run`] does, history included.
//! Written without a database, so each transaction checks that the database is in the state that
//! the script was written for.

mod guard;
mod non_transactional;

use crate::error::Error;
use crate::history::{self, Recorded};
use crate::migrations::{Migrations, Script};
use crate::model::{Direction, MigrationName, TransactionMode};
use crate::ops::offline_sql::guard::{RESTORE_SESSION, limits};
use crate::run::options::RunOptions;
use crate::run::plan::{Plan, Target, UndoTarget};
use crate::run::step::Step;
use crate::sql;

/// Which migrations a script is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineRange {
    /// Apply those after `from` (0: from the first one on), up to and including `to` (none: up to
    /// the newest).
    Up {
        /// The version at which the database is.
        from: i64,
        /// The version at which it will be.
        to: Option<i64>,
    },
    /// Undo those after `to` (0: all of them), beginning with `from` (none: with the newest).
    Down {
        /// The version at which the database is.
        from: Option<i64>,
        /// The version at which it will be.
        to: i64,
    },
}

/// A script to run by hand.
#[derive(Clone, Debug)]
pub struct OfflineScript {
    /// Apply or undo.
    pub direction: Direction,
    /// The version at which the database must be, 0 for none.
    pub from: i64,
    /// The version at which it is afterwards, 0 for none.
    pub to: i64,
    /// Its migrations, in this order.
    pub migrations: Vec<MigrationName>,
    /// Plain SQL, with nothing that only psql knows.
    pub sql: String,
}

/// Saves the role and the search path, because migrations may change both for the session, as dumps do.
const REMEMBER_SESSION: &str = "\
do $taskie$
begin
  perform pg_catalog.set_config('taskie.' || setting, pg_catalog.current_setting(setting), false)
     from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting;
end
$taskie$;
";

/// Notes about migrations without a transaction.
const WITHOUT_TRANSACTION: &str = "\
--
-- One that runs without a transaction is written statement by statement, to be sent one by one, as psql does. What is done is
-- noted in the table `migrator_incomplete`, which is gone in the end. Where it stops in the middle, `migrator status` says so,
-- and `migrator repair` clears up. It has to stop at the first error: that is what ON_ERROR_STOP is for.
";

/// The script for a range of migrations, with the time limits of `options`. Needs no database.
pub fn offline_script(
    migrations: &Migrations,
    range: OfflineRange,
    options: &RunOptions,
) -> Result<OfflineScript, Error> {
    let newest = migrations.names().last().map_or(0, |name| name.version);
    let (direction, from, to, target) = match range {
        OfflineRange::Up { from, to } => {
            (Direction::Apply, from, to.unwrap_or(newest), Target::Up(to))
        }
        OfflineRange::Down { from, to } => {
            let target = Target::Down(UndoTarget::Version(to));
            (Direction::Undo, from.unwrap_or(newest), to, target)
        }
    };
    for version in [from, to] {
        migrations.require(Some(version).filter(|version| *version != 0))?;
    }
    let is_empty = match direction {
        Direction::Apply => to <= from,
        Direction::Undo => from <= to,
    };
    if is_empty {
        return Err(Error::EmptyRange { direction, from, to });
    }
    let plan = Plan::new(migrations, Recorded::assumed(migrations, from), target)?;

    let mut sql = heading(&plan.steps, direction);
    for step in &plan.steps {
        let applied = applied_before(migrations, step);
        sql += &match step.file.mode {
            TransactionMode::One => transaction(step, applied, options),
            TransactionMode::None => non_transactional::write(step, applied, options),
        };
    }
    let migrations = plan.steps.iter().map(|step| step.script.name.clone()).collect();
    Ok(OfflineScript { direction, from, to, migrations, sql })
}

/// Migrations that must be in the history before a step.
fn applied_before<'a>(migrations: &'a Migrations, step: &Step<'_>) -> &'a [Script] {
    let scripts = migrations.scripts();
    let earlier = scripts.partition_point(|script| script.name.version < step.script.name.version);
    match step.direction {
        Direction::Apply => &scripts[..earlier],
        Direction::Undo => &scripts[..=earlier],
    }
}

fn heading(steps: &[Step<'_>], direction: Direction) -> String {
    let verb = match direction {
        Direction::Apply => "Applies",
        Direction::Undo => "Undoes",
    };
    let names: Vec<String> = steps.iter().map(|step| step.script.name.to_string()).collect();
    let names = names.join(", ");
    let version = env!("CARGO_PKG_VERSION");
    let any_without = steps.iter().any(|step| step.file.mode == TransactionMode::None);
    let without = if any_without { WITHOUT_TRANSACTION } else { "" };
    format!(
        "\
-- {verb} {names}, with the history. Written by migrator {version}.
--
-- To be run by the owner of the tables, not through a pooler that shares sessions:
--
--   psql --no-psqlrc --set ON_ERROR_STOP=1 --file SCRIPT DATABASE
--
-- Each migration is a transaction of its own. It begins with a look at the history, and fails before it changes anything
-- where that is not what it should be: so do all that come after one that failed.
{without}
{REMEMBER_SESSION}"
    )
}

/// One migration. `applied` is what the history must say before.
fn transaction(step: &Step<'_>, applied: &[Script], options: &RunOptions) -> String {
    let Step { script, file, .. } = step;
    let limits: Vec<String> = limits(options)
        .iter()
        .map(|(name, value)| format!("set local {name} = '{value}';\n"))
        .collect();
    let limits = limits.concat();
    // A file may end with a comment, or without the last semicolon.
    let newline = if file.sql.ends_with('\n') { "" } else { "\n" };
    let semicolon = if sql::is_terminated(&file.sql) { "" } else { ";\n" };
    format!(
        "
-- {label}{name}

begin;
{RESTORE_SESSION}{guard}{limits}{creation}
-- {file_name}

{content}{newline}{semicolon}
-- The history.

{RESTORE_SESSION}{entry}commit;
",
        label = guard::label(step),
        name = script.name,
        guard = guard::guard(applied),
        creation = guard::creation(step, applied),
        entry = history::note_run(script, step.direction).to_script(),
        file_name = file.name,
        content = file.sql,
    )
}
