//! The history: refinery's table of applied migrations, and its comparison with the files.

pub(crate) mod incomplete;
pub(crate) mod note;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use refinery::AsyncMigrate;
use tokio_postgres::Client;

use crate::connect::{advisory_lock, session};
use crate::error::{Divergence, Error, IncompleteError, LineEnding};
use crate::history::note::{Note, Value};
use crate::migrations::{Migrations, Script, checksum};
use crate::model::{Direction, Incomplete, LockHolder, MigrationName};

/// refinery's default.
const TABLE: &str = "refinery_schema_history";

const TABLE_EXISTS: &str = "select to_regclass('refinery_schema_history') is not null";

/// Beside refinery's own statement, which has no comments.
const COMMENT_ON_TABLE: &str = "\
comment on table refinery_schema_history is 'Which migrations are applied. Written by the migrator, in refinery''s format.';
comment on column refinery_schema_history.version is 'The number in the file name.';
comment on column refinery_schema_history.name is 'The name in the file name.';
comment on column refinery_schema_history.applied_on is 'When it was applied: RFC 3339, UTC.';
comment on column refinery_schema_history.checksum is 'refinery''s checksum of version, name and content, in decimal digits.';
comment on index refinery_schema_history_pkey is 'One row for each version.';
";

const RECORD: &str = "\
insert into refinery_schema_history (version, name, applied_on, checksum) values (
  $1, $2,
  $3,
  $4)";

const FORGET: &str = "delete from refinery_schema_history where version = $1";

/// Gives the version 64 bits, as refinery's own feature for larger versions does. Not before one needs
/// them, because refinery and older migrators read 32.
const WIDEN: &str = "\
do $taskie$
begin
  if exists (select from pg_catalog.pg_attribute
              where attrelid = pg_catalog.to_regclass('refinery_schema_history')
                and attname = 'version' and atttypid = 'pg_catalog.int4'::pg_catalog.regtype) then
    alter table refinery_schema_history alter column version type int8;
  end if;
end
$taskie$;
";

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// Which.
    pub name: MigrationName,
    /// When.
    pub applied_on: DateTime<FixedOffset>,
    pub(crate) checksum: u64,
}

/// One migration, seen from both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub name: MigrationName,
    /// State of the migration.
    pub state: State,
    /// When it was applied, where it is.
    pub applied_on: Option<DateTime<FixedOffset>>,
    /// Its divergence.
    pub problem: Option<Divergence>,
    /// Progress of a migration without a transaction that is not finished.
    pub incomplete: Option<Incomplete>,
    /// The session that runs the incomplete migration.
    pub holder: Option<LockHolder>,
}

/// States of a migration, by its file and the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Applied as it is in the file.
    Applied,
    /// Not applied yet.
    Pending,
    /// Edited since it was applied, or pending although a later one is applied.
    Diverged,
    /// Applied, but without a file.
    Missing,
    /// Begun without a transaction, to be applied or undone, and not finished.
    Incomplete,
}

/// Records of the database.
pub(crate) struct Recorded {
    /// Oldest first.
    pub(crate) applied: Vec<AppliedMigration>,
    pub(crate) incomplete: Option<Incomplete>,
    /// The lock holder, if a migration is incomplete.
    pub(crate) holder: Option<LockHolder>,
}

impl Recorded {
    /// The history of a database at this version, at no time in particular.
    pub(crate) fn assumed(migrations: &Migrations, version: i64) -> Self {
        let scripts = migrations.scripts().iter();
        let applied = scripts.take_while(|script| script.name.version <= version);
        let applied = applied.map(|script| AppliedMigration {
            name: script.name.clone(),
            applied_on: DateTime::UNIX_EPOCH.fixed_offset(),
            checksum: script.checksum,
        });
        Self { applied: applied.collect(), incomplete: None, holder: None }
    }

    /// Fails while an incomplete migration is not repaired.
    pub(crate) fn refuse_unrepaired(&self) -> Result<(), IncompleteError> {
        match &self.incomplete {
            Some(incomplete) if !incomplete.is_repaired() => {
                Err(IncompleteError::Unrepaired(Box::new(incomplete.clone())))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl State {
    /// The one word for it, everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Diverged => "diverged",
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
        }
    }
}

impl AppliedMigration {
    /// When it was applied, as JSON has it: RFC 3339, UTC, to the microsecond.
    pub fn applied_on_rfc3339(&self) -> String {
        rfc3339(self.applied_on)
    }
}

impl Entry {
    /// The problem, with its only solution if there is just one.
    pub fn problem_text(&self) -> Option<String> {
        let Some(incomplete) = &self.incomplete else {
            return self.problem.as_ref().map(ToString::to_string);
        };
        let summary = incomplete.summary();
        if let Some(holder) = &self.holder {
            return Some(format!("{summary}; a migrator is at work: {holder}"));
        }
        Some(match (incomplete.is_repaired(), incomplete.direction) {
            (false, _) => format!("{summary}; run `migrator repair`"),
            (true, Direction::Apply) => format!("{summary}; `migrator up` resumes it"),
            (true, Direction::Undo) if self.applied_on.is_none() => {
                format!("{summary}; `migrator repair --undo` resumes it")
            }
            (true, Direction::Undo) => format!("{summary}; `migrator down` resumes it"),
        })
    }

    /// When it was applied, as JSON has it: RFC 3339, UTC, to the microsecond.
    pub fn applied_on_rfc3339(&self) -> Option<String> {
        self.applied_on.map(rfc3339)
    }
}

fn rfc3339(time: DateTime<FixedOffset>) -> String {
    time.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Reads the history in a read-only transaction; empty where there is no table yet.
pub(crate) async fn read(client: &mut Client) -> Result<Recorded, Error> {
    let refused = |source| Error::Query { action: "read the history", source };
    let transaction = session::begin_read_only(client).await.map_err(refused)?;
    let exists: bool =
        transaction.query_typed_one(TABLE_EXISTS, &[]).await.map_err(refused)?.get(0);
    let rows = if exists {
        let query = Client::get_applied_migrations_query(TABLE);
        transaction.query_typed(&query, &[]).await.map_err(refused)?
    } else {
        Vec::new()
    };
    let incomplete = incomplete::read(&transaction).await?;
    transaction.commit().await.map_err(refused)?;
    let holder = match incomplete {
        Some(_) => advisory_lock::find_other_holder(client).await?,
        None => None,
    };
    let applied = rows.iter().map(read_row).collect::<Result<_, _>>()?;
    Ok(Recorded { applied, incomplete, holder })
}

fn read_row(row: &tokio_postgres::Row) -> Result<AppliedMigration, Error> {
    let unreadable = |column: &str| Error::History {
        reason: format!("a value of `{column}` is not what refinery writes"),
    };
    let text = |column: &str| {
        let value: Option<String> = row.try_get(column).map_err(|_| unreadable(column))?;
        value.ok_or_else(|| unreadable(column))
    };
    let version = match row.try_get::<_, i64>("version") {
        Ok(version) => version,
        Err(_) => row.try_get::<_, i32>("version").map_err(|_| unreadable("version"))?.into(),
    };
    let applied_on =
        DateTime::parse_from_rfc3339(&text("applied_on")?).map_err(|_| unreadable("applied_on"))?;
    let checksum = text("checksum")?.parse().map_err(|_| unreadable("checksum"))?;
    Ok(AppliedMigration {
        name: MigrationName { version, name: text("name")? },
        applied_on,
        checksum,
    })
}

/// Makes the table where there is none. Only for those who write; call it with the lock held.
pub(crate) async fn create_table(client: &mut Client) -> Result<(), Error> {
    let refused = |source| Error::Query { action: "create the history table", source };
    let transaction = client.transaction().await.map_err(refused)?;
    let exists: bool =
        transaction.query_typed_one(TABLE_EXISTS, &[]).await.map_err(refused)?.get(0);
    if !exists {
        transaction
            .batch_execute(&Client::assert_migrations_table_query(TABLE))
            .await
            .map_err(refused)?;
        transaction.batch_execute(COMMENT_ON_TABLE).await.map_err(refused)?;
    }
    transaction.commit().await.map_err(refused)
}

/// [`create_table`], as a script.
pub(crate) fn creation_script() -> String {
    let create = Client::assert_migrations_table_query(TABLE);
    format!(
        "\
do $taskie$
begin
  if pg_catalog.to_regclass('refinery_schema_history') is null then
{create}
{COMMENT_ON_TABLE}  end if;
end
$taskie$;
"
    )
}

/// The note that a script has run and its migration is applied, or no longer applied; written in the
/// script's transaction.
pub(crate) fn note_run(script: &Script, direction: Direction) -> Note {
    let Script { name: MigrationName { version, name }, checksum, .. } = script;
    let version = Value::Version(*version);
    match direction {
        Direction::Apply => {
            let name = Value::Text(name.clone());
            let checksum = Value::Text(checksum.to_string());
            let applied_on = Value::Now(SecondsFormat::Nanos);
            let note = Note::new(RECORD, vec![version, name, applied_on, checksum]);
            if script.name.is_wide() { note.after(WIDEN) } else { note }
        }
        Direction::Undo => Note::new(FORGET, vec![version]),
    }
}

/// Every migration of either side, ordered by version.
pub(crate) fn compare(migrations: &Migrations, recorded: &Recorded) -> Vec<Entry> {
    let mut entries = compare_rows(migrations, &recorded.applied);
    if let Some(incomplete) = &recorded.incomplete {
        let version = incomplete.name.version;
        let found = entries.iter().position(|entry| entry.name.version == version);
        let applied_on = found.and_then(|index| entries.remove(index).applied_on);
        entries.push(Entry {
            name: incomplete.name.clone(),
            state: State::Incomplete,
            applied_on,
            problem: None,
            incomplete: Some(incomplete.clone()),
            holder: recorded.holder.clone(),
        });
        entries.sort_by_key(|entry| entry.name.version);
    }
    entries
}

/// [`compare`], without what is incomplete.
pub(crate) fn compare_rows(migrations: &Migrations, applied: &[AppliedMigration]) -> Vec<Entry> {
    let entry = |name: &MigrationName, state, applied_on, problem| Entry {
        name: name.clone(),
        state,
        applied_on,
        problem,
        incomplete: None,
        holder: None,
    };
    let newest = applied.last().map(|newest| &newest.name);
    let mut entries: Vec<Entry> = applied
        .iter()
        .map(|row| {
            let (state, problem) = match migrations.find(row.name.version) {
                None => (State::Missing, Some(Divergence::Missing(row.name.clone()))),
                Some(script) if script.checksum != row.checksum => {
                    (State::Diverged, Some(edited(script, row)))
                }
                Some(_) => (State::Applied, None),
            };
            entry(&row.name, state, Some(row.applied_on), problem)
        })
        .collect();
    for name in migrations.names() {
        if applied.iter().any(|row| row.name.version == name.version) {
            continue;
        }
        let (state, problem) = match newest {
            Some(newest) if newest.version > name.version => (
                State::Diverged,
                Some(Divergence::OutOfOrder { name: name.clone(), newest: newest.clone() }),
            ),
            _ => (State::Pending, None),
        };
        entries.push(entry(name, state, None, problem));
    }
    entries.sort_by_key(|entry| entry.name.version);
    entries
}

/// The way in which an applied migration differs from its script.
fn edited(script: &Script, row: &AppliedMigration) -> Divergence {
    let was_applied_with = |ending: &LineEnding| {
        checksum::of_migration(&script.name, &ending.apply(&script.apply.sql)) == row.checksum
    };
    let name = row.name.clone();
    match [LineEnding::Lf, LineEnding::Crlf].into_iter().find(was_applied_with) {
        Some(applied) => Divergence::LineEndings { name, applied },
        None => Divergence::Edited(name),
    }
}

/// The pending ones, or everything that is wrong. What is repaired is pending.
pub(crate) fn pending(
    migrations: &Migrations,
    recorded: &Recorded,
) -> Result<Vec<MigrationName>, Error> {
    recorded.refuse_unrepaired()?;
    if let Some(record) = &recorded.incomplete
        && record.direction == Direction::Undo
    {
        return Err(IncompleteError::Unfinished(Box::new(record.clone())).into());
    }
    let entries = compare_rows(migrations, &recorded.applied);
    let problems: Vec<Divergence> =
        entries.iter().filter_map(|entry| entry.problem.clone()).collect();
    if !problems.is_empty() {
        return Err(Error::Diverged { problems });
    }
    let pending = entries.into_iter().filter(|entry| entry.state == State::Pending);
    Ok(pending.map(|entry| entry.name).collect())
}
