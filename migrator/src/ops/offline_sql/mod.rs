//! Scripts for a person to run: what [`crate::up`] and [`crate::down`] would do, history included,
//! as SQL. Written without a database, so each transaction looks by itself whether the database is
//! what the script was written for.

mod non_transactional;

use std::ops::Range;
use std::time::Duration;

use crate::migrations::Script;
use crate::run::step::{self, Step, refuse_objectionable};
use crate::run::{migrate, timeouts};
use crate::{
    Direction, Error, LOCK_KEY, MigrationName, Migrations, RunOptions, TransactionMode, history,
    sql,
};

/// Which migrations a script is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManualRange {
    /// Apply those after `from` (0: from the first one on), up to and including `to` (none: up to
    /// the newest).
    Up {
        /// The version at which the database is.
        from: i32,
        /// The version at which it will be.
        to: Option<i32>,
    },
    /// Undo those after `to` (0: all of them), beginning with `from` (none: with the newest).
    Down {
        /// The version at which the database is.
        from: Option<i32>,
        /// The version at which it will be.
        to: i32,
    },
}

/// A script to run by hand.
#[derive(Clone, Debug)]
pub struct ManualScript {
    /// What it does.
    pub direction: Direction,
    /// The version at which the database must be, 0 for none.
    pub from: i32,
    /// The version at which it is afterwards, 0 for none.
    pub to: i32,
    /// What it applies or undoes, in this order.
    pub migrations: Vec<MigrationName>,
    /// Plain SQL, with nothing that only psql knows.
    pub sql: String,
}

/// Remembers who runs the script and where names are looked up, because migrations may change both
/// for the session, as dumps do.
const REMEMBER_SESSION: &str = "\
do $taskie$
begin
  perform pg_catalog.set_config('taskie.' || setting, pg_catalog.current_setting(setting), false)
     from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting;
end
$taskie$;
";

/// Goes back to what was remembered, within a transaction: in this order, because the first resets
/// the second. A script's `reset all` makes it forget, and has reset the search path by itself.
pub(crate) const RESTORE_SESSION: &str = "\
do $taskie$
begin
  perform pg_catalog.set_config(setting, pg_catalog.current_setting('taskie.' || setting), true)
     from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting
    where pg_catalog.current_setting('taskie.' || setting) <> '';
end
$taskie$;
";

/// What else there is to know where a migration runs without a transaction.
const WITHOUT_TRANSACTION: &str = "\
--
-- One that runs without a transaction is written statement by statement, to be sent one by one, as psql does. What is done is
-- noted in the table `migrator_incomplete`, which is gone in the end. Where it stops in the middle, `migrator status` says so,
-- and `migrator repair` clears up. It has to stop at the first error: that is what ON_ERROR_STOP is for.
";

/// The script for a range of migrations, with the time limits of `options`. Needs no database.
pub fn manual_script(
    migrations: &Migrations,
    range: ManualRange,
    options: &RunOptions,
) -> Result<ManualScript, Error> {
    let newest = migrations.names().last().map_or(0, |name| name.version);
    let (direction, from, to) = match range {
        ManualRange::Up { from, to } => (Direction::Apply, from, to.unwrap_or(newest)),
        ManualRange::Down { from, to } => (Direction::Undo, from.unwrap_or(newest), to),
    };
    for version in [from, to] {
        migrate::find_target(migrations, Some(version).filter(|version| *version != 0))?;
    }
    let all = migrations.scripts();
    let number = |version| all.iter().filter(|script| script.name.version <= version).count();
    let steps = match direction {
        Direction::Apply => between(all, number(from)..number(to)).map(Step::apply).collect(),
        Direction::Undo => {
            let scripts: Vec<&Script> = between(all, number(to)..number(from)).rev().collect();
            step::undo_all(&scripts)?
        }
    };
    if steps.is_empty() {
        return Err(Error::EmptyRange { direction, from, to });
    }
    refuse_objectionable(&steps, migrations.find(from).map(|script| &script.name))?;

    let mut sql = heading(&steps, direction);
    for (index, step) in steps.iter().enumerate() {
        let applied = match direction {
            Direction::Apply => number(from) + index,
            Direction::Undo => number(from) - index,
        };
        sql += &match step.file.mode {
            TransactionMode::One => transaction(step, &all[..applied], options),
            TransactionMode::None => non_transactional::write(step, &all[..applied], options),
        };
    }
    let migrations = steps.iter().map(|step| step.script.name.clone()).collect();
    Ok(ManualScript { direction, from, to, migrations, sql })
}

fn between(scripts: &[Script], range: Range<usize>) -> std::slice::Iter<'_, Script> {
    scripts.get(range).unwrap_or_default().iter()
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
    let Parts { label, creation, entry } = Parts::of(step, applied);
    let limits: Vec<String> = limits(options)
        .iter()
        .map(|(name, value)| format!("set local {name} = '{value}';\n"))
        .collect();
    let limits = limits.concat();
    // What is in a file may end with a comment, or without the last semicolon.
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
        name = script.name,
        guard = guard(applied),
        file_name = file.name,
        content = file.sql,
    )
}

/// What a script for one migration needs, whichever way it runs.
pub(crate) struct Parts {
    /// Before the name.
    pub(crate) label: &'static str,
    /// Makes the history where there is none.
    pub(crate) creation: String,
    /// Changes the history.
    pub(crate) entry: String,
}

impl Parts {
    pub(crate) fn of(step: &Step<'_>, applied: &[Script]) -> Self {
        match step.direction {
            Direction::Apply => Self {
                label: "",
                creation: match applied {
                    [] => history::creation_by_hand(),
                    _ => String::new(),
                },
                entry: history::record_by_hand(step.script),
            },
            Direction::Undo => Self {
                label: "Undo ",
                creation: String::new(),
                entry: history::forget_by_hand(step.script.name.version),
            },
        }
    }
}

/// The settings of the time limits.
pub(crate) fn limits(options: &RunOptions) -> Vec<(&'static str, String)> {
    let lock_timeout = Some(("lock_timeout", options.lock_timeout));
    let statement_timeout = options.statement_timeout.map(|limit| ("statement_timeout", limit));
    let value = |limit: Duration| match limit.subsec_nanos() {
        0 => format!("{}s", limit.as_secs()),
        _ => timeouts::value(limit),
    };
    let both = lock_timeout.into_iter().chain(statement_timeout);
    both.map(|(name, limit)| (name, value(limit))).collect()
}

/// Fails unless no migrator is at work, nothing is incomplete, and the history is exactly `applied`. The lock is the one of
/// [`crate::up`], for the transaction. Names of migrations are letters, digits and underscores.
pub(crate) fn guard(applied: &[Script]) -> String {
    let expected: Vec<String> =
        applied.iter().map(|script| format!("{} ({})", script.name, script.checksum)).collect();
    let expected = expected.join(", ");
    format!(
        "\
do $taskie$
declare
  expected constant text := '{expected}';
  found text := '';
begin
  if not pg_catalog.pg_try_advisory_xact_lock({LOCK_KEY}) then
    raise exception using
      errcode = 'lock_not_available',
      message = 'another migrator is at work; nothing was changed',
      hint = 'Wait for it to finish and run the script again.';
  end if;
  if pg_catalog.to_regclass('migrator_incomplete') is not null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'a migration is incomplete; nothing was changed',
      hint = '`migrator status` shows which; `migrator repair` clears up.';
  end if;
  if pg_catalog.to_regclass('refinery_schema_history') is not null then
    select coalesce(pg_catalog.string_agg(
             pg_catalog.format('V%s__%s (%s)', version, name, checksum), ', ' order by version), '')
      into found
      from refinery_schema_history;
  end if;
  if found <> expected then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'the history of this database is not the one that this script was written for; nothing was changed',
      detail = pg_catalog.format('Expected: %s. Found: %s.',
                 coalesce(nullif(expected, ''), 'none'), coalesce(nullif(found, ''), 'none')),
      hint = 'Write a script for it with `migrator sql --from VERSION`; `migrator current` shows the version.';
  end if;
end
$taskie$;
"
    )
}
