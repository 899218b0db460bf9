//! How long the upkeep of the table takes: changes, vacuum, an index that is built again.

use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

use super::sizes;
use crate::bench::output::{Table, figure, progress};

/// One in so many tasks changes before the vacuum.
const CHANGED: i32 = 50;

/// A step and its duration.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    name: String,
    seconds: f64,
}

const PARTITIONS: &str = "\
select inhrelid::regclass::text
  from pg_inherits
 where inhparent = $1::text::regclass
 order by pg_table_size(inhrelid) desc";

/// Measures a table, partitioned or not. Of a partitioned one each step is done for all partitions, one after the
/// other, and the longest one counts by itself too.
pub(crate) async fn measure(database: &Client) -> anyhow::Result<Vec<Step>> {
    let rows = database.query(PARTITIONS, &[&"tasks"]).await.context("list partitions")?;
    let partitions: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let all = sizes::read(database).await?;
    let index = sizes::largest_index(&all).context("an index of tasks")?.name.clone();
    let rows = database.query(PARTITIONS, &[&index]).await.context("list partitions")?;
    let indexes: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let changed = format!("change one in {CHANGED} tasks");
    let change = format!(
        "update tasks set status = case status when 'complete' then 'incomplete' else 'complete' end where id % {CHANGED} = 0"
    );
    let mut steps = vec![timed(database, &changed, &change).await?];
    let (whole, parts) = (vec!["tasks".to_owned()], vec![index.clone()]);
    let tables = if partitions.is_empty() { &whole } else { &partitions };
    let indexes = if indexes.is_empty() { &parts } else { &indexes };
    steps.extend(each(database, "vacuum (analyze)", "tasks", tables).await?);
    steps.extend(each(database, "reindex index", &index, indexes).await?);
    Ok(steps)
}

/// The command for each of these relations; the sum, and the longest one of several.
async fn each(
    database: &Client,
    command: &str,
    name: &str,
    relations: &[String],
) -> anyhow::Result<Vec<Step>> {
    let mut steps = Vec::new();
    for relation in relations {
        steps.push(timed(database, command, &format!("{command} {relation}")).await?);
    }
    let seconds = steps.iter().map(|step| step.seconds).sum();
    let longest = steps.iter().map(|step| step.seconds).fold(0.0, f64::max);
    let mut result = vec![Step { name: format!("{command} {name}"), seconds }];
    if relations.len() > 1 {
        let name = format!("  the longest of {} partitions", relations.len());
        result.push(Step { name, seconds: longest });
    }
    Ok(result)
}

async fn timed(database: &Client, name: &str, statement: &str) -> anyhow::Result<Step> {
    progress(statement);
    let started = Instant::now();
    database.batch_execute(statement).await.with_context(|| statement.to_owned())?;
    Ok(Step { name: name.to_owned(), seconds: started.elapsed().as_secs_f64() })
}

/// The steps as a table.
pub(crate) fn report(steps: &[Step]) -> String {
    let mut table = Table::new(&["upkeep", "seconds"]);
    for step in steps {
        table.row(vec![step.name.clone(), figure(Some(step.seconds), 2)]);
    }
    table.render()
}
