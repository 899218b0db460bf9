//! The parts of a script that both transaction modes have: the check of the history, and the time
//! limits.

use std::time::Duration;

use crate::connect::advisory_lock::LOCK_KEY;
use crate::history;
use crate::migrations::Script;
use crate::model::Direction;
use crate::run::options::RunOptions;
use crate::run::step::Step;
use crate::run::timeouts;

/// Restores the saved role and search path, in a transaction: in this order, because the first resets the
/// second. A script's `reset all` deletes the saved values, and has reset the search path itself.
pub(crate) const RESTORE_SESSION: &str = "\
do $taskie$
begin
  perform pg_catalog.set_config(setting, pg_catalog.current_setting('taskie.' || setting), true)
     from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting
    where pg_catalog.current_setting('taskie.' || setting) <> '';
end
$taskie$;
";

/// Before the name of a migration.
pub(crate) fn label(step: &Step<'_>) -> &'static str {
    match step.direction {
        Direction::Apply => "",
        Direction::Undo => "Undo ",
    }
}

/// Creates the history where there is none: before the first migration.
pub(crate) fn creation(step: &Step<'_>, applied: &[Script]) -> String {
    match (step.direction, applied) {
        (Direction::Apply, []) => history::creation_script(),
        (Direction::Apply | Direction::Undo, _) => String::new(),
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
/// [`crate::Migrator::run`], for the transaction. Names of migrations are letters, digits and underscores.
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
