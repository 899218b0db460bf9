//! The table `migrator_incomplete`: progress of a migration that runs without a transaction and is
//! not finished. It is beside the history, refinery never sees it, and it exists only while it has
//! a row.

use chrono::{SecondsFormat, Utc};
use refinery::Migration;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};

use crate::error::Error;
use crate::migrations::{File, Script};
use crate::model::{Begun, Direction, Incomplete, IncompleteState, IndexTarget, MigrationName};
use crate::sql;

const TABLE_EXISTS: &str = "select pg_catalog.to_regclass('migrator_incomplete') is not null";

/// Who can read the history can read this, too: the one without the other is not where a database
/// stands.
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

const READ: &str = "\
select version, name, checksum, direction, state, statements, done, done_checksum, running, alone,
       statement, relation, known_indexes, started_on
  from migrator_incomplete
 order by version
 limit 1";

const BEGIN: &str = "\
insert into migrator_incomplete (version, name, checksum, direction, state, statements, done, done_checksum, alone, started_on)
values ($1, $2, $3, $4, 'running', $5, 0, $6, false, $7)";

const MARK_RUNNING: &str = "\
update migrator_incomplete
   set state = 'running', running = $2, alone = $3, statement = $4, relation = $5, known_indexes = $6
 where version = $1";

const MARK_DONE: &str = "\
update migrator_incomplete
   set done = $2, done_checksum = $3, running = null, alone = false, statement = null, relation = null, known_indexes = null
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

impl Incomplete {
    /// Whether the statements that are done are still the first ones of the script.
    pub(crate) fn agrees_with(&self, file: &File) -> bool {
        done_checksum(&file.sql, self.done).is_some_and(|sum| sum == self.done_checksum)
    }
}

/// A checksum of the first statements of a script; none where it has fewer. What is between them
/// does not count.
pub(crate) fn done_checksum(script: &str, done: usize) -> Option<String> {
    let statements = sql::statements(script);
    let texts: Vec<&str> =
        statements.get(..done)?.iter().map(|statement| statement.text(script)).collect();
    // refinery's, because it is at hand and stays the same from version to version.
    let migration = Migration::unapplied("V1__done", &texts.join(";\n")).ok()?;
    Some(migration.checksum().to_string())
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
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

/// Notes that a script begins, in place of what was noted about the migration before; makes the
/// table where there is none.
pub(crate) async fn begin(
    client: &impl GenericClient,
    script: &Script,
    direction: Direction,
    statements: usize,
) -> Result<(), tokio_postgres::Error> {
    let exists: bool = client.query_typed_one(TABLE_EXISTS, &[]).await?.get(0);
    if exists {
        client.execute_typed(FORGET, &[(&script.name.version, Type::INT4)]).await?;
    } else {
        client.batch_execute(CREATE_TABLE).await?;
    }
    let started_on = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    let nothing_done = done_checksum("", 0).unwrap_or_default();
    client
        .execute_typed(
            BEGIN,
            &[
                (&script.name.version, Type::INT4),
                (&script.name.name, Type::VARCHAR),
                (&script.checksum.to_string(), Type::VARCHAR),
                (&direction.to_string(), Type::VARCHAR),
                (&number(statements), Type::INT4),
                (&nothing_done, Type::VARCHAR),
                (&started_on, Type::VARCHAR),
            ],
        )
        .await?;
    Ok(())
}

/// Notes that a repaired script goes on.
pub(crate) async fn resume(
    client: &impl GenericClient,
    version: i32,
) -> Result<(), tokio_postgres::Error> {
    client.execute_typed(RESUME, &[(&version, Type::INT4)]).await.map(|_| ())
}

/// Notes that a statement begins; `index` counts from 0.
pub(crate) async fn mark_running(
    client: &impl GenericClient,
    version: i32,
    index: usize,
    begun: &Begun,
) -> Result<(), tokio_postgres::Error> {
    let relation = begun.target.as_ref().and_then(|target| target.relation);
    let known = begun.target.as_ref().map(|target| &target.known);
    client
        .execute_typed(
            MARK_RUNNING,
            &[
                (&version, Type::INT4),
                (&number(index + 1), Type::INT4),
                (&begun.outside_transaction, Type::BOOL),
                (&begun.text, Type::VARCHAR),
                (&relation, Type::OID),
                (&known, Type::OID_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Notes that the first `done` statements of a script are done.
pub(crate) async fn mark_done(
    client: &impl GenericClient,
    version: i32,
    script: &str,
    done: usize,
) -> Result<(), tokio_postgres::Error> {
    let sum = done_checksum(script, done).unwrap_or_default();
    client
        .execute_typed(
            MARK_DONE,
            &[(&version, Type::INT4), (&number(done), Type::INT4), (&sum, Type::VARCHAR)],
        )
        .await?;
    Ok(())
}

/// Notes that a statement failed.
pub(crate) async fn mark_failed(
    client: &impl GenericClient,
    version: i32,
) -> Result<(), tokio_postgres::Error> {
    client.execute_typed(MARK_FAILED, &[(&version, Type::INT4)]).await.map(|_| ())
}

/// Notes that the script can go on after its first `done` statements.
pub(crate) async fn mark_repaired(
    client: &impl GenericClient,
    script: &Script,
    file: &File,
    done: usize,
) -> Result<(), tokio_postgres::Error> {
    let sum = done_checksum(&file.sql, done).unwrap_or_default();
    client
        .execute_typed(
            MARK_REPAIRED,
            &[
                (&script.name.version, Type::INT4),
                (&script.checksum.to_string(), Type::VARCHAR),
                (&number(sql::statements(&file.sql).len()), Type::INT4),
                (&number(done), Type::INT4),
                (&sum, Type::VARCHAR),
            ],
        )
        .await?;
    Ok(())
}

/// Forgets about a migration, and the table with the last one.
pub(crate) async fn forget(
    client: &impl GenericClient,
    version: i32,
) -> Result<(), tokio_postgres::Error> {
    client.execute_typed(FORGET, &[(&version, Type::INT4)]).await?;
    let empty: bool = client.query_typed_one(IS_EMPTY, &[]).await?.get(0);
    if empty {
        client.batch_execute(DROP_TABLE).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::done_checksum;

    #[test]
    fn only_the_statements_that_are_done_count() {
        let sum = |script, done| done_checksum(script, done);
        assert_eq!(sum("a; b; c", 2), sum("-- x\na;\n b ; d", 2));
        assert_ne!(sum("a; b; c", 2), sum("a; c; b", 2));
        assert_ne!(sum("a; b", 1), sum("a; b", 2));
        assert_eq!(sum("a; b", 3), None);
        assert_eq!(sum("", 0), sum("a", 0));
    }
}
