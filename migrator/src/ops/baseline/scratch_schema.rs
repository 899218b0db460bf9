//! The objects that migrations create, found by running them in a scratch schema within a
//! transaction that is rolled back.
//!
//! Reading the scripts would not do: a table may be created in the middle of a block, and renamed
//! by the next migration.

use std::borrow::Cow;

use tokio_postgres::{Client, Transaction};

use crate::error::{Error, LostDuring, pg_error};
use crate::migrations::{File, Script};
use crate::model::TransactionMode;
use crate::run::plan::Plan;
use crate::run::step::{LIMIT_WAITING_HERE, RESET_NAMES, Step};
use crate::sql;

/// Nobody else sees it, because it is never committed.
const CREATE_SCHEMA: &str = "create schema taskie_rehearsal";

/// Nothing else is in the path: a script creates the same objects as in an empty database, and changes
/// no existing one.
const USE_SCHEMA: &str = "set local search_path = taskie_rehearsal";

/// Objects of the scratch schema that the search path does not find under the same name: tables, columns
/// (with types of the same kind, since text may be `text` or `varchar`), indexes except those of
/// constraints, triggers and functions.
const MISSING_PARTS: &str = "\
with kinds (relkind, kind) as (
  values ('r'::\"char\", 'table'), ('p', 'table'), ('v', 'view'), ('m', 'materialized view'),
         ('i', 'index'), ('I', 'index')
), made as (
  select class.oid, class.relname as name, kinds.kind, found.oid as found,
         own_table.relname as table_name, found_table.relname as found_table_name
    from pg_class as class
    join kinds on kinds.relkind = class.relkind
    left join pg_index as own_index on own_index.indexrelid = class.oid
    left join pg_class as own_table on own_table.oid = own_index.indrelid
    left join (select present.oid, kinds.kind
                 from pg_class as present join kinds on kinds.relkind = present.relkind) as found
           on found.oid = to_regclass(quote_ident(class.relname)) and found.kind = kinds.kind
    left join pg_index as found_index on found_index.indexrelid = found.oid
    left join pg_class as found_table on found_table.oid = found_index.indrelid
   where class.relnamespace = 'taskie_rehearsal'::regnamespace
     and not exists (select from pg_constraint where conindid = class.oid)
), missing as (
  select coalesce(table_name, name) as place,
         case when table_name is null then 1 else 3 end as rank,
         kind || ' ' || name || coalesce(' on ' || table_name, '') as part
    from made
   where found is null or table_name is distinct from found_table_name
  union all
  select made.name, 2,
         'column ' || made.name || '.' || own.attname || ' '
         || format_type(own.atttypid, own.atttypmod)
    from made
    join pg_attribute as own on own.attrelid = made.oid and own.attnum > 0 and not own.attisdropped
    join pg_type as own_type on own_type.oid = own.atttypid
   where made.table_name is null and made.found is not null
     and not exists (
       select from pg_attribute as present
         join pg_type as present_type on present_type.oid = present.atttypid
        where present.attrelid = made.found and present.attname = own.attname
          and present.attnum > 0 and not present.attisdropped
          and present_type.typcategory = own_type.typcategory)
  union all
  select made.name, 4, 'trigger ' || own.tgname || ' on ' || made.name
    from made
    join pg_trigger as own on own.tgrelid = made.oid and not own.tgisinternal
   where made.found is not null
     and not exists (select from pg_trigger as present
                      where present.tgrelid = made.found and present.tgname = own.tgname)
  union all
  select own.proname, 5, 'function ' || own.proname || '(' || oidvectortypes(own.proargtypes) || ')'
    from pg_proc as own
   where own.pronamespace = 'taskie_rehearsal'::regnamespace
     and to_regprocedure(
           quote_ident(own.proname) || '(' || oidvectortypes(own.proargtypes) || ')') is null
)
select part from missing order by rank = 5, place, rank, part";

/// Functions that both have, and that do something else.
const OTHER_FUNCTIONS: &str = "\
select own.proname || '(' || oidvectortypes(own.proargtypes) || ')'
  from pg_proc as own
  join pg_proc as present on present.oid = to_regprocedure(
         quote_ident(own.proname) || '(' || oidvectortypes(own.proargtypes) || ')')
 where own.pronamespace = 'taskie_rehearsal'::regnamespace
   and (own.prosrc, own.prolang, own.proconfig)
       is distinct from (present.prosrc, present.prolang, present.proconfig)
 order by 1";

/// Result of comparing the scripts with the database.
pub(crate) struct Comparison {
    /// Objects that the database lacks.
    pub(crate) missing: Vec<String>,
    /// Functions that do something else there.
    pub(crate) other_functions: Vec<String>,
}

/// Runs the scripts, compares the result with the database, and rolls back.
pub(crate) async fn compare(client: &mut Client, scripts: &[Script]) -> Result<Comparison, Error> {
    let plan = Plan::from_steps(scripts.iter().map(Step::apply).collect(), Vec::new())?;
    let refused =
        |source| Error::Query { action: "try the migrations out in a schema of their own", source };
    let transaction = client.transaction().await.map_err(refused)?;
    transaction.batch_execute(CREATE_SCHEMA).await.map_err(refused)?;
    for Step { script, file, .. } in plan.steps {
        run(&transaction, file).await.map_err(|source| match source.as_db_error() {
            Some(_) => Error::Rehearsal { name: script.name.clone(), source },
            None => Error::ConnectionLost {
                name: script.name.clone(),
                during: LostDuring::Transaction,
                reason: pg_error::describe(&source),
            },
        })?;
    }
    transaction.batch_execute(RESET_NAMES).await.map_err(refused)?;
    let missing = transaction.query_typed(MISSING_PARTS, &[]).await.map_err(refused)?;
    let other_functions = transaction.query_typed(OTHER_FUNCTIONS, &[]).await.map_err(refused)?;
    transaction.rollback().await.map_err(refused)?;
    Ok(Comparison {
        missing: missing.iter().map(|row| row.get(0)).collect(),
        other_functions: other_functions.iter().map(|row| row.get(0)).collect(),
    })
}

async fn run(transaction: &Transaction<'_>, file: &File) -> Result<(), tokio_postgres::Error> {
    let content = rehearsed(file);
    for statement in [RESET_NAMES, USE_SCHEMA, LIMIT_WAITING_HERE, &content] {
        transaction.batch_execute(statement).await?;
    }
    Ok(())
}

/// The part of a script that can run in a transaction. For one without a transaction, indexes are created
/// without `concurrently`; its other statements create nothing that is compared.
fn rehearsed(file: &File) -> Cow<'_, str> {
    if file.mode == TransactionMode::One {
        return Cow::Borrowed(&file.sql);
    }
    let mut content = String::new();
    for statement in sql::statements(&file.sql) {
        let text = statement.text(&file.sql);
        if sql::concurrent(text).is_some()
            || sql::may_commit(text)
            || !sql::needs_own_transaction(text)
        {
            content += &sql::without_concurrently(text);
            content += ";\n";
        }
    }
    Cow::Owned(content)
}

#[cfg(test)]
mod tests {
    use super::rehearsed;
    use crate::migrations::File;
    use crate::model::TransactionMode;

    #[test]
    fn a_script_without_a_transaction_is_tried_out_in_one() {
        let file = File {
            name: String::new(),
            path: String::new(),
            sql: "create table a (b int); vacuum a; create index concurrently i on a (b);"
                .to_owned(),
            mode: TransactionMode::None,
        };
        assert_eq!(rehearsed(&file), "create table a (b int);\ncreate index  i on a (b);\n");
    }
}
