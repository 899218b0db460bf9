//! The sizes of the tables and of each index.

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

use crate::bench::load::count;
use crate::bench::output::{MEBIBYTE, Table, figure};

/// Bytes of a table without its indexes, or of an index; with those of their partitions.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Relation {
    pub(crate) name: String,
    pub(crate) is_index: bool,
    pub(crate) bytes: u64,
    /// Rows of the table.
    rows: u64,
}

const SIZES: &str = "\
with wanted as (
  select table_name, table_name::regclass::oid as id
    from unnest(array['tasks', 'idempotency_keys', 'users']) as table_name
), relations as (
  select id, id as table_id, false as is_index from wanted
   union all
  select indexrelid, id, true from pg_index join wanted on indrelid = id
), parts as (
  select id, table_id, is_index, id as part from relations
   union all
  select id, table_id, is_index, inhrelid from relations join pg_inherits on inhparent = id
)
select relname::text, is_index, sum(pg_table_size(part))::int8,
       (select count(*) from tasks) as tasks, (select count(*) from idempotency_keys) as keys,
       (select count(*) from users) as users, table_id::regclass::text
  from parts join pg_class on oid = id
 group by relname, is_index, table_id
 order by array_position(array['tasks', 'idempotency_keys', 'users'], table_id::regclass::text), is_index, 3 desc";

/// Those of `tasks`, `idempotency_keys` and `users`.
pub(crate) async fn read(database: &Client) -> anyhow::Result<Vec<Relation>> {
    let rows = database.query(SIZES, &[]).await.context("read the sizes")?;
    let relation = |row: &tokio_postgres::Row| {
        let table: String = row.get(6);
        let rows: i64 = match table.as_str() {
            "tasks" => row.get(3),
            "idempotency_keys" => row.get(4),
            _ => row.get(5),
        };
        let bytes: i64 = row.get(2);
        Relation {
            name: row.get(0),
            is_index: row.get(1),
            bytes: bytes.unsigned_abs(),
            rows: rows.unsigned_abs(),
        }
    };
    Ok(rows.iter().map(relation).collect())
}

/// The largest index of `tasks`, by its name.
pub(crate) fn largest_index(all: &[Relation]) -> Option<&Relation> {
    let indexes = all.iter().filter(|one| one.is_index && one.name.contains("tasks"));
    indexes.max_by_key(|one| one.bytes)
}

/// The sizes as a table.
pub(crate) fn report(all: &[Relation]) -> String {
    let mut table = Table::new(&["", "rows", "MiB", "bytes for each row"]);
    for one in all {
        let name = if one.is_index { format!("  {}", one.name) } else { one.name.clone() };
        let (bytes, rows) = (number(one.bytes), number(one.rows));
        let cells = [
            one.rows.to_string(),
            figure(Some(bytes / MEBIBYTE), 1),
            figure(Some(bytes / rows), 0),
        ];
        table.row([name].into_iter().chain(cells).collect());
    }
    table.render()
}

fn number(value: u64) -> f64 {
    count(usize::try_from(value).unwrap_or(usize::MAX))
}
