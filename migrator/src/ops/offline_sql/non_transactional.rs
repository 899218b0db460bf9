//! A migration without a transaction as a script to run by hand: statement by statement, with the
//! same records of its progress as [`crate::Migrator::run`] writes, so that `status` stays accurate.

use crate::connect::advisory_lock::LOCK_KEY;
use crate::history;
use crate::history::incomplete::{self, CREATE_TABLE, DROP_TABLE, Writer};
use crate::migrations::Script;
use crate::migrations::checksum::StatementsChecksum;
use crate::model::Begun;
use crate::ops::offline_sql::guard::{self, RESTORE_SESSION, guard, limits};
use crate::run::options::RunOptions;
use crate::run::step::Step;
use crate::run::timeouts::{Limit, Limits};
use crate::sql::{self, Concurrent, Rebuilt, literal};

/// Goes back to what was remembered, for the statements that follow, which may change it again.
const RESTORE_SESSION_FOR_SCRIPT: &str = "\
do $taskie$
begin
  perform pg_catalog.set_config(setting, pg_catalog.current_setting('taskie.' || setting), false)
     from pg_catalog.unnest(array['session_authorization', 'role', 'search_path']) as setting
    where pg_catalog.current_setting('taskie.' || setting) <> '';
end
$taskie$;
";

/// One migration. `applied` is what the history must say before.
pub(crate) fn write(step: &Step<'_>, applied: &[Script], options: &RunOptions) -> String {
    let Step { script, file, .. } = step;
    let own = Limits::of(file, options);
    let mut limits = limits(options);
    limits.retain(|(name, _)| match *name {
        "lock_timeout" => own.lock_timeout != Limit::Script,
        _ => own.statement_timeout != Limit::Script,
    });
    let set: Vec<String> =
        limits.iter().map(|(name, value)| format!("set {name} = '{value}';\n")).collect();
    let reset: Vec<String> = limits.iter().map(|(name, _)| format!("reset {name};\n")).collect();
    let (set, reset) = (set.concat(), reset.concat());
    let lock_timeout = limits.iter().find(|(name, _)| *name == "lock_timeout");

    let statements = sql::statements(&file.sql);
    let version = script.name.version;
    let mut text = format!(
        "
-- {label}{name}, without a transaction

begin;
{RESTORE_SESSION}{guard}{lock}{creation}{CREATE_TABLE}{begun}commit;
{RESTORE_SESSION_FOR_SCRIPT}{set}",
        label = guard::label(step),
        name = script.name,
        guard = guard(applied),
        lock = take_lock(),
        creation = guard::creation(step, applied),
        begun = incomplete::note_begin(script, step.direction, statements.len()).to_script(),
    );
    let mut checksum = StatementsChecksum::new();
    for (index, statement) in statements.iter().enumerate() {
        let content = statement.text(&file.sql);
        checksum.add(content);
        let done =
            incomplete::note_done(version, index + 1, checksum.value(), Writer::Script).to_script();
        let of = statements.len();
        let part = if sql::needs_own_transaction(content) {
            let limit = lock_timeout.map(|(_, value)| value.as_str());
            outside_transaction(version, index, content, &done, limit)
        } else {
            in_transaction(version, index, content, &done)
        };
        text += &["\n-- ", &file.name, &format!(": statement {} of {of}\n\n", index + 1), &part]
            .concat();
    }
    let last = check(version, &format!("done = {} and running is null", statements.len()), None);
    text + &format!(
        "
-- The history.

begin;
{RESTORE_SESSION}{last}{entry}{end}{DROP_TABLE};
commit;
{reset}{unlock}",
        entry = history::note_run(script, step.direction).to_script(),
        end = incomplete::note_end(version).to_script(),
        unlock = release_lock(),
    )
}

/// One transaction with the statement and the note of its completion.
fn in_transaction(version: i64, index: usize, content: &str, done: &str) -> String {
    let before = check(version, &format!("done = {index} and running is null"), None);
    format!("begin;\n{content};\n{RESTORE_SESSION}{before}{done}commit;\n")
}

/// The statement is recorded as started before, and as completed after.
fn outside_transaction(
    version: i64,
    index: usize,
    content: &str,
    done: &str,
    lock_timeout: Option<&str>,
) -> String {
    let number = index + 1;
    let before = check(version, &format!("done = {index} and running is null"), None);
    let after = check(version, &format!("running = {number}"), Some(content));
    let begun = Begun { text: content.to_owned(), outside_transaction: true, target: None };
    let (unlimited, limited) = match (sql::concurrent(content), lock_timeout) {
        (Some(_), Some(limit)) => {
            ("set lock_timeout = 0;\n".to_owned(), format!("set lock_timeout = '{limit}';\n"))
        }
        _ => (String::new(), String::new()),
    };
    format!(
        "\
begin;
{find}{RESTORE_SESSION}{before}{running}commit;
{unlimited}{content};
{limited}begin;
{RESTORE_SESSION}{after}{done}commit;
",
        find = find_relation(content),
        running = incomplete::note_running(version, index, &begun, Writer::Script).to_script(),
    )
}

/// Looks up what the statement works on, as the script sees it.
fn find_relation(content: &str) -> String {
    let found = match sql::concurrent(content) {
        Some(
            Concurrent::Create { table: name, .. }
            | Concurrent::Drop { index: name }
            | Concurrent::Reindex { rebuilt: Rebuilt::Table(name) },
        ) => format!("pg_catalog.to_regclass({})::oid::text", literal(name)),
        Some(Concurrent::Reindex { rebuilt: Rebuilt::Index(name) }) => format!(
            "(select indrelid::text from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass({}))",
            literal(name)
        ),
        Some(Concurrent::Reindex { rebuilt: Rebuilt::Many } | Concurrent::Detach) | None => {
            "null".to_owned()
        }
    };
    format!(
        "\
do $taskie$
begin
  perform pg_catalog.set_config('taskie.relation', coalesce({found}, ''), true);
end
$taskie$;
"
    )
}

/// Fails unless the note meets the condition and the index is in the state after `done`.
fn check(version: i64, condition: &str, done: Option<&str>) -> String {
    let outcome = match done.and_then(sql::concurrent) {
        Some(Concurrent::Create { index: Some(index), .. }) => format!(
            "
     and exists (select from pg_catalog.pg_index as index
                   join pg_catalog.pg_class as class on class.oid = index.indexrelid
                  where index.indrelid = relation and index.indisvalid
                    and class.relname = ((pg_catalog.parse_ident({}))[1])::name)",
            literal(index)
        ),
        Some(Concurrent::Drop { .. }) => "
     and not exists (select from pg_catalog.pg_class where oid = relation)"
            .to_owned(),
        Some(_) | None => String::new(),
    };
    format!(
        "\
do $taskie$
begin
  perform from migrator_incomplete
   where version = {version} and {condition}{outcome};
  if not found then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'a statement before this one is not done: the migration is incomplete',
      hint = '`migrator status` shows how far it is; `migrator repair` clears up.';
  end if;
end
$taskie$;
"
    )
}

/// The lock of [`crate::Migrator::run`], over several transactions; that it is free is looked at before.
fn take_lock() -> String {
    format!("do $taskie$ begin perform pg_catalog.pg_advisory_lock({LOCK_KEY}); end $taskie$;\n")
}

fn release_lock() -> String {
    format!("do $taskie$ begin perform pg_catalog.pg_advisory_unlock({LOCK_KEY}); end $taskie$;\n")
}
