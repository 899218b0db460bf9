//! The numbers that the sequences of columns have left.

use serde::Serialize;
use tokio_postgres::Client;

use crate::error::Error;

/// Of the sequences that a column owns and that end some day, the one that is nearest to it. Those
/// that this role has no rights on have no last value, and are passed over; so are those that were
/// never used.
const FIND_FULLEST_SEQUENCE: &str = "\
select name, column_name, last_value, max_value,
       (floor(1000 * (last_value::numeric - min_value + 1)
                   / nullif(max_value::numeric - min_value + 1, 0)) / 10)::float8 as used_pct
  from (
    select class.oid::regclass::text as name,
           attrelid::regclass::text || '.' || quote_ident(attname) as column_name,
           sequence.last_value, sequence.min_value,
           least(sequence.max_value, case atttypid when 'int2'::regtype then 32767
                                                   when 'int4'::regtype then 2147483647
                                                   else sequence.max_value end) as max_value
      from pg_sequences as sequence
      join pg_namespace as schema on schema.nspname = sequence.schemaname
      join pg_class as class
        on class.relnamespace = schema.oid and class.relname = sequence.sequencename
      join pg_depend as depend
        on depend.classid = 'pg_class'::regclass and depend.objid = class.oid
       and depend.refclassid = 'pg_class'::regclass and depend.deptype in ('a', 'i')
      join pg_attribute as attribute
        on attrelid = depend.refobjid and attnum = depend.refobjsubid
     where sequence.increment_by > 0 and not sequence.cycle and sequence.last_value is not null
  ) as sequences
 order by used_pct desc nulls last, name
 limit 1";

/// A sequence that gives a column its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct SequenceUse {
    /// Its name.
    pub name: String,
    /// The column, after its table.
    pub column: String,
    /// The last number that was given.
    pub last_value: i64,
    /// The greatest that the sequence can give and the column can hold.
    pub max_value: i64,
    /// Used part of the range in per cent, rounded down.
    pub used_pct: Option<f64>,
}

/// The sequence that is nearest to its end.
pub(super) async fn find_fullest(client: &Client) -> Result<Option<SequenceUse>, Error> {
    let row = client.query_typed_opt(FIND_FULLEST_SEQUENCE, &[]).await;
    let row = row.map_err(|source| Error::Query { action: "look at its sequences", source })?;
    Ok(row.map(|row| SequenceUse {
        name: row.get(0),
        column: row.get(1),
        last_value: row.get(2),
        max_value: row.get(3),
        used_pct: row.get(4),
    }))
}
