//! The table `migrator_incomplete`: progress of a migration that runs without a transaction and is
//! not finished. It is beside the history, refinery never sees it, and it exists only while it has
//! a row.

use chrono::SecondsFormat;
use tokio_postgres::{GenericClient, Row};

use crate::error::{Error, LineEnding};
use crate::history::note::{Note, Value};
use crate::migrations::{File, Script, checksum};
use crate::model::{Begun, Direction, Incomplete, IncompleteState, IndexTarget, MigrationName};
use crate::sql;

const TABLE_EXISTS: &str = "select pg_catalog.to_regclass('migrator_incomplete') is not null";

/// Readable by every role that can read the history: the state of a database consists of both.
pub(crate) const CREATE_TABLE: &str = "\
create table migrator_incomplete (
  version int4 primary key,
  name varchar not null,
  checksum varchar not null,
  direction varchar not null check (direction in ('apply', 'undo')),
  state varchar not null check (state in ('running', 'failed', 'repaired')),
  statements int4 not null,
  done int4 not null,
  done_checksum varchar not null,
  running int4,
  alone boolean not null,
  statement varchar,
  relation oid,
  known_indexes oid[],
  started_on varchar not null
);
comment on table migrator_incomplete is 'Migrations without a transaction that are not finished. Written by the migrator, which removes the table when it is empty.';
comment on column migrator_incomplete.version is 'The number in the file name.';
comment on column migrator_incomplete.name is 'The name in the file name.';
comment on column migrator_incomplete.checksum is 'refinery''s checksum of version, name and content of the migration, in decimal digits.';
comment on column migrator_incomplete.direction is 'apply or undo.';
comment on column migrator_incomplete.state is 'running: at work, or stopped without a word; failed: a statement failed; repaired: can go on.';
comment on column migrator_incomplete.statements is 'How many statements the script has.';
comment on column migrator_incomplete.done is 'How many of them are done.';
comment on column migrator_incomplete.done_checksum is 'A checksum of those that are done, in decimal digits.';
comment on column migrator_incomplete.running is 'The number of the statement that was begun last and is not known to have ended, from 1.';
comment on column migrator_incomplete.alone is 'Whether that statement runs outside of a transaction, so that a part of it can stay.';
comment on column migrator_incomplete.statement is 'The statement that was begun last.';
comment on column migrator_incomplete.relation is 'The table whose indexes that statement makes, or the index that it drops.';
comment on column migrator_incomplete.known_indexes is 'The invalid indexes that were there before that statement.';
comment on column migrator_incomplete.started_on is 'When the script was begun: RFC 3339, UTC.';
comment on index migrator_incomplete_pkey is 'One row for each version.';
do $taskie$
declare
  reader text;
begin
  for reader in
    select case entry.grantee when 0 then 'public' else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(entry.grantee)) end
      from pg_catalog.pg_class as class
     cross join lateral pg_catalog.aclexplode(class.relacl) as entry
     where class.oid = pg_catalog.to_regclass('refinery_schema_history')
       and entry.privilege_type = 'SELECT' and entry.grantee <> class.relowner
  loop
    execute 'grant select on migrator_incomplete to ' || reader;
  end loop;
end
$taskie$;
";

/// Gives the version 64 bits.
const WIDEN: &str = "alter table migrator_incomplete alter column version type int8;
";

const READ: &str = "\
select version::int8, name, checksum, direction, state, statements, done, done_checksum, running, alone,
       statement, relation, known_indexes, started_on
  from migrator_incomplete
 order by version
 limit 1";

const BEGIN: &str = "\
insert into migrator_incomplete (version, name, checksum, direction, state, statements, done, done_checksum, alone, started_on)
values ($1, $2, $3, $4, 'running', $5, 0, $6, false,
  $7)";

const MARK_RUNNING: &str = "\
update migrator_incomplete
   set state = 'running', running = $2, alone = $3, statement = $4, relation = $5, known_indexes = $6
 where version = $1";

/// The state is `running` all along, and the relation is in a setting of the script.
const MARK_RUNNING_IN_SCRIPT: &str = "\
update migrator_incomplete
   set running = $2, alone = $3, statement = $4,
       relation = nullif(pg_catalog.current_setting('taskie.relation'), '')::oid
 where version = $1";

const MARK_DONE: &str = "\
update migrator_incomplete
   set done = $2, done_checksum = $3, running = null, alone = false, statement = null, relation = null, known_indexes = null
 where version = $1";

const MARK_DONE_IN_SCRIPT: &str = "\
update migrator_incomplete
   set done = $2, done_checksum = $3, running = null, alone = false, statement = null, relation = null
 where version = $1";

const MARK_FAILED: &str = "update migrator_incomplete set state = 'failed' where version = $1";

const MARK_REPAIRED: &str = "\
update migrator_incomplete
   set state = 'repaired', checksum = $2, statements = $3, done = $4, done_checksum = $5, running = null, alone = false,
       statement = null, relation = null, known_indexes = null
 where version = $1";

const RESUME: &str = "update migrator_incomplete set state = 'running' where version = $1";

const FORGET: &str = "delete from migrator_incomplete where version = $1";

const IS_EMPTY: &str = "select not exists (select from migrator_incomplete)";

pub(crate) const DROP_TABLE: &str = "drop table migrator_incomplete";

/// Writer of a note.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The migrator, which knows the invalid indexes that were there before a statement.
    Migrator,
    /// A script that is run by hand: it does not look for invalid indexes, and finds the
    /// relation of a statement by itself, in the setting `taskie.relation`.
    Script,
}

impl Incomplete {
    /// True if the completed statements are still the first ones of the script, with any line endings.
    pub(crate) fn agrees_with(&self, file: &File) -> bool {
        let agrees = |sql: &str| {
            checksum::of_statements(sql, self.done).is_some_and(|sum| sum == self.done_checksum)
        };
        agrees(&file.sql)
            || [LineEnding::Lf, LineEnding::Crlf]
                .iter()
                .any(|ending| agrees(&ending.apply(&file.sql)))
    }
}

fn number(count: usize) -> Value {
    Value::Number(i32::try_from(count).unwrap_or(i32::MAX))
}

/// Checksum of the first statements, where the script has so many.
fn checksum_of(script: &str, done: usize) -> Value {
    Value::Text(checksum::of_statements(script, done).unwrap_or_default())
}

/// The incomplete migration, where there is one. Reads only.
pub(crate) async fn read(client: &impl GenericClient) -> Result<Option<Incomplete>, Error> {
    let refused = |source| Error::Query { action: "read what is incomplete", source };
    let exists: bool = client.query_typed_one(TABLE_EXISTS, &[]).await.map_err(refused)?.get(0);
    if !exists {
        return Ok(None);
    }
    let row = client.query_typed_opt(READ, &[]).await.map_err(refused)?;
    row.as_ref().map(read_row).transpose().map_err(|column| Error::History {
        reason: format!(
            "a value of `{column}` in `migrator_incomplete` is not what the migrator writes"
        ),
    })
}

fn read_row(row: &Row) -> Result<Incomplete, &'static str> {
    fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
        row: &'a Row,
        column: &'static str,
    ) -> Result<T, &'static str> {
        row.try_get(column).map_err(|_| column)
    }
    let count = |column| usize::try_from(get::<i32>(row, column)?).map_err(|_| column);
    let direction = match get(row, "direction")? {
        "apply" => Direction::Apply,
        "undo" => Direction::Undo,
        _ => return Err("direction"),
    };
    let progress = match get(row, "state")? {
        "running" => IncompleteState::Running,
        "failed" => IncompleteState::Failed,
        "repaired" => IncompleteState::Repaired,
        _ => return Err("state"),
    };
    let relation: Option<u32> = get(row, "relation")?;
    let known: Option<Vec<u32>> = get(row, "known_indexes")?;
    let target = (relation.is_some() || known.is_some())
        .then(|| IndexTarget { relation, known: known.unwrap_or_default() });
    let outside_transaction: bool = get(row, "alone")?;
    let text: Option<String> = get(row, "statement")?;
    Ok(Incomplete {
        name: MigrationName { version: get(row, "version")?, name: get(row, "name")? },
        direction,
        progress,
        statements: count("statements")?,
        done: count("done")?,
        done_checksum: get(row, "done_checksum")?,
        begun: text.map(|text| Begun { text, outside_transaction, target }),
    })
}

/// Creates the table, or removes from it what it has about a migration.
pub(crate) async fn prepare(
    client: &impl GenericClient,
    version: i64,
) -> Result<(), tokio_postgres::Error> {
    let exists: bool = client.query_typed_one(TABLE_EXISTS, &[]).await?.get(0);
    if exists {
        note_end(version).execute(client).await
    } else {
        client.batch_execute(CREATE_TABLE).await
    }
}

/// Removes the note about a migration, and the table with the last one.
pub(crate) async fn forget(
    client: &impl GenericClient,
    version: i64,
) -> Result<(), tokio_postgres::Error> {
    note_end(version).execute(client).await?;
    let empty: bool = client.query_typed_one(IS_EMPTY, &[]).await?.get(0);
    if empty {
        client.batch_execute(DROP_TABLE).await?;
    }
    Ok(())
}

/// The note that a script with so many statements begins; needs [`prepare`].
pub(crate) fn note_begin(script: &Script, direction: Direction, statements: usize) -> Note {
    let Script { name: MigrationName { version, name }, checksum: sum, .. } = script;
    let note = Note::new(
        BEGIN,
        vec![
            Value::Version(*version),
            Value::Text(name.clone()),
            Value::Text(sum.to_string()),
            Value::Text(direction.to_string()),
            number(statements),
            checksum_of("", 0),
            Value::Now(SecondsFormat::Micros),
        ],
    );
    if script.name.is_wide() { note.after(WIDEN) } else { note }
}

/// The note that a repaired script is resumed.
pub(crate) fn note_resumed(version: i64) -> Note {
    Note::new(RESUME, vec![Value::Version(version)])
}

/// The note that a statement begins; `index` counts from 0.
pub(crate) fn note_running(version: i64, index: usize, begun: &Begun, writer: Writer) -> Note {
    let mut values = vec![
        Value::Version(version),
        number(index + 1),
        Value::Boolean(begun.outside_transaction),
        Value::Text(begun.text.clone()),
    ];
    if writer == Writer::Script {
        return Note::new(MARK_RUNNING_IN_SCRIPT, values);
    }
    let target = begun.target.as_ref();
    values.push(Value::Oid(target.and_then(|target| target.relation)));
    values.push(Value::Oids(target.map(|target| target.known.clone())));
    Note::new(MARK_RUNNING, values)
}

/// The note that the first `done` statements of a script are done, with their checksum.
pub(crate) fn note_done(version: i64, done: usize, checksum: String, writer: Writer) -> Note {
    let sql = match writer {
        Writer::Migrator => MARK_DONE,
        Writer::Script => MARK_DONE_IN_SCRIPT,
    };
    Note::new(sql, vec![Value::Version(version), number(done), Value::Text(checksum)])
}

/// The note that a statement failed.
pub(crate) fn note_failed(version: i64) -> Note {
    Note::new(MARK_FAILED, vec![Value::Version(version)])
}

/// The note that a script can be resumed after its first `done` statements.
pub(crate) fn note_repaired(script: &Script, file: &File, done: usize) -> Note {
    Note::new(
        MARK_REPAIRED,
        vec![
            Value::Version(script.name.version),
            Value::Text(script.checksum.to_string()),
            number(sql::statements(&file.sql).len()),
            number(done),
            checksum_of(&file.sql, done),
        ],
    )
}

/// Removes the note about a migration; see also [`forget`] and [`DROP_TABLE`].
pub(crate) fn note_end(version: i64) -> Note {
    Note::new(FORGET, vec![Value::Version(version)])
}
