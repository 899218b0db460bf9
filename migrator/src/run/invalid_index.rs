//! Invalid indexes, which a failed concurrent index build leaves behind: they slow writes down and
//! block the next attempt.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient};

use crate::model::IndexTarget;
use crate::sql::{Concurrent, Rebuilt, concurrent};

/// Time limit of the removal's wait for sessions that use the table. It blocks no session meanwhile.
const LIMIT_REMOVAL: &str = "\
select pg_catalog.set_config('lock_timeout', '30s', false),
       pg_catalog.set_config('statement_timeout', '60s', false)";

/// Restores the limits. `$1` and `$2` what [`CURRENT_LIMITS`] gave.
const RESTORE_LIMITS: &str = "\
select pg_catalog.set_config('lock_timeout', $1, false),
       pg_catalog.set_config('statement_timeout', $2, false)";

const CURRENT_LIMITS: &str = "\
select pg_catalog.current_setting('lock_timeout'), pg_catalog.current_setting('statement_timeout')";

const FIND_RELATION: &str = "select pg_catalog.to_regclass($1)::oid";

/// `$1` an index, as it is written.
const FIND_TABLE_OF_INDEX: &str =
    "select indrelid from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass($1)";

/// The invalid indexes of a table, of its partitions and of their TOAST tables, except those that another
/// session is building. `$1` the table, or null for all tables; `$2` the index's name as it is
/// written, or null for the names that `reindex` generates.
const INVALID: &str = "\
select class.oid, pg_catalog.format('%I.%I', schema.nspname, class.relname)
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
  join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
 where not index.indisvalid
   and class.relkind = 'i'
   and not exists (
         select from pg_catalog.pg_locks as lock
           join pg_catalog.pg_stat_progress_create_index as build on build.pid = lock.pid
          where lock.relation = index.indrelid and lock.mode = 'ShareUpdateExclusiveLock'
            and lock.granted and lock.pid <> pg_catalog.pg_backend_pid())
   and ($1::oid is null
        or index.indrelid in (
             select part.relation
               from pg_catalog.pg_class as class
              cross join lateral (values (class.oid), (class.reltoastrelid)) as part (relation)
              where class.oid = $1
                 or class.oid in (select relid from pg_catalog.pg_partition_tree($1))))
   and case when $2::text is null then class.relname ~ '_cc(new|old)[0-9]*$'
            else class.relname = ((pg_catalog.parse_ident($2))[1])::name end
 order by 1";

/// Validity of the index of this name on the table; no row without one. `$1` the table,
/// `$2` the name as it is written.
const IS_VALID: &str = "\
select index.indisvalid
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
 where index.indrelid = $1 and class.relname = ((pg_catalog.parse_ident($2))[1])::name";

/// `$1` an index.
const HALF_DROPPED: &str = "\
select class.oid, pg_catalog.format('%I.%I', schema.nspname, class.relname)
  from pg_catalog.pg_index as index
  join pg_catalog.pg_class as class on class.oid = index.indexrelid
  join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
 where index.indexrelid = $1 and not index.indisvalid";

const EXISTS: &str = "select exists (select from pg_catalog.pg_class where oid = $1)";

/// An index that a failed statement left behind.
pub(crate) struct InvalidIndex {
    pub(crate) oid: u32,
    /// With its schema, quoted.
    pub(crate) name: String,
}

/// State of a statement that was started and not recorded as completed, by the catalog.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    ToDo,
    /// Not a question for the catalog.
    Unknown,
}

/// Looks at the place of a statement on indexes, as its session sees it.
pub(crate) async fn find_target(
    client: &Client,
    statement: &str,
) -> Result<Option<IndexTarget>, tokio_postgres::Error> {
    let (query, name) = match concurrent(statement) {
        Some(
            Concurrent::Create { table: name, .. }
            | Concurrent::Drop { index: name }
            | Concurrent::Reindex { rebuilt: Rebuilt::Table(name) },
        ) => (FIND_RELATION, name),
        Some(Concurrent::Reindex { rebuilt: Rebuilt::Index(index) }) => {
            (FIND_TABLE_OF_INDEX, index)
        }
        Some(Concurrent::Reindex { rebuilt: Rebuilt::Many }) => {
            let known = find_invalid(client, None, None).await?;
            return Ok(Some(IndexTarget {
                relation: None,
                known: known.into_iter().map(|index| index.oid).collect(),
            }));
        }
        Some(Concurrent::Detach) | None => return Ok(None),
    };
    let row = client.query_typed_opt(query, &[(&name, Type::TEXT)]).await?;
    // Something that is not there is the statement's own problem.
    let Some(relation) = row.and_then(|row| row.get::<_, Option<u32>>(0)) else { return Ok(None) };
    let known = match concurrent(statement) {
        Some(Concurrent::Create { index, .. }) => {
            find_invalid(client, Some(relation), index).await?
        }
        Some(Concurrent::Reindex { .. }) => find_invalid(client, Some(relation), None).await?,
        Some(Concurrent::Drop { .. } | Concurrent::Detach) | None => Vec::new(),
    };
    let known = known.into_iter().map(|index| index.oid).collect();
    Ok(Some(IndexTarget { relation: Some(relation), known }))
}

async fn find_invalid(
    client: &impl GenericClient,
    relation: Option<u32>,
    name: Option<&str>,
) -> Result<Vec<InvalidIndex>, tokio_postgres::Error> {
    let rows = client.query_typed(INVALID, &[(&relation, Type::OID), (&name, Type::TEXT)]).await?;
    Ok(rows.iter().map(|row| InvalidIndex { oid: row.get(0), name: row.get(1) }).collect())
}

/// The invalid indexes that a statement has left.
pub(crate) async fn invalid_indexes(
    client: &impl GenericClient,
    statement: &str,
    target: &IndexTarget,
) -> Result<Vec<InvalidIndex>, tokio_postgres::Error> {
    let mut found = match concurrent(statement) {
        Some(Concurrent::Create { index, .. }) => {
            find_invalid(client, target.relation, index).await?
        }
        Some(Concurrent::Reindex { .. }) => find_invalid(client, target.relation, None).await?,
        Some(Concurrent::Drop { .. } | Concurrent::Detach) | None => Vec::new(),
    };
    found.retain(|index| !target.known.contains(&index.oid));
    Ok(found)
}

/// The index that a failed `drop index` left invalid.
pub(crate) async fn half_dropped(
    client: &impl GenericClient,
    statement: &str,
    target: &IndexTarget,
) -> Result<Option<InvalidIndex>, tokio_postgres::Error> {
    if !matches!(concurrent(statement), Some(Concurrent::Drop { .. })) {
        return Ok(None);
    }
    let row = client.query_typed_opt(HALF_DROPPED, &[(&target.relation, Type::OID)]).await?;
    Ok(row.map(|row| InvalidIndex { oid: row.get(0), name: row.get(1) }))
}

/// Drops them, without blocking anybody.
pub(crate) async fn drop_all(
    client: &Client,
    indexes: &[InvalidIndex],
) -> Result<(), tokio_postgres::Error> {
    if indexes.is_empty() {
        return Ok(());
    }
    let limits = client.query_typed_one(CURRENT_LIMITS, &[]).await?;
    let (lock, statement): (String, String) = (limits.get(0), limits.get(1));
    client.query_typed(LIMIT_REMOVAL, &[]).await?;
    let mut result = Ok(());
    for index in indexes {
        let removal = format!("drop index concurrently if exists {}", index.name);
        result = result.and(client.batch_execute(&removal).await);
    }
    client.query_typed(RESTORE_LIMITS, &[(&lock, Type::TEXT), (&statement, Type::TEXT)]).await?;
    result
}

/// True if the index of a `create index` exists and is valid.
pub(crate) async fn verdict(
    client: &impl GenericClient,
    statement: &str,
    target: Option<&IndexTarget>,
) -> Result<Verdict, tokio_postgres::Error> {
    let Some(relation) = target.and_then(|target| target.relation) else {
        return Ok(Verdict::Unknown);
    };
    match concurrent(statement) {
        Some(Concurrent::Create { index: Some(index), .. }) => {
            let parameters = [(&relation as _, Type::OID), (&index as _, Type::TEXT)];
            let row = client.query_typed_opt(IS_VALID, &parameters).await?;
            let valid = row.is_some_and(|row| row.get(0));
            Ok(if valid { Verdict::Done } else { Verdict::ToDo })
        }
        Some(Concurrent::Drop { .. }) => {
            let row = client.query_typed_one(EXISTS, &[(&relation, Type::OID)]).await?;
            Ok(if row.get(0) { Verdict::ToDo } else { Verdict::Done })
        }
        Some(Concurrent::Reindex { .. }) => Ok(Verdict::ToDo),
        Some(Concurrent::Create { .. } | Concurrent::Detach) | None => Ok(Verdict::Unknown),
    }
}
