//! The API on a large database beside the API on a small one: what a request costs with many tasks, how large the
//! tables get, and how long their upkeep takes. Start reading at [`run`], then `fill.rs`.

pub(crate) mod fill;
pub(crate) mod options;
mod partitions;
mod requests;
mod series;
mod side;
mod sizes;
pub(crate) mod statements;
mod upkeep;

pub use options::ScaleOptions;

use anyhow::{anyhow, ensure};
use rand::seq::SliceRandom;
use serde::Serialize;

use self::options::Size;
use self::partitions::Migration;
use self::requests::Operation;
use self::series::{Series, SideSeries};
use self::side::{AtWork, Side};
use self::sizes::Relation;
use self::upkeep::Step;
use super::environment::Environment;
use super::load;
use super::options::Options;
use super::output::progress;
use super::{report, services};
use crate::{App, TestServer};

/// Tasks of the large database by default.
pub(crate) const LARGE: u32 = 1_000_000;

const SMALL: Size = Size { tasks: 1_000, users: 10 };

/// Like a server for such a database; nothing is flushed to the disk.
const SETTINGS: [(&str, &str); 7] = [
    ("shared_buffers", "1GB"),
    ("max_wal_size", "2GB"),
    ("wal_level", "replica"),
    ("full_page_writes", "on"),
    statements::SETTINGS[0],
    statements::SETTINGS[1],
    statements::SETTINGS[2],
];

/// What `--json` prints.
#[derive(Serialize)]
struct Document {
    environment: Environment,
    tasks: u32,
    users: u32,
    whole: Findings,
    migration: Option<Migration>,
    partitioned: Option<Findings>,
}

/// What is found out about the large table, partitioned or not.
#[derive(Serialize)]
struct Findings {
    requests: Vec<Series>,
    sizes: Vec<Relation>,
    upkeep: Vec<Step>,
}

/// Runs all measurements and prints their results. An error, after them, where requests failed.
pub(crate) async fn run(options: &Options) -> anyhow::Result<()> {
    let size = options.scale.size_or(LARGE);
    let reuse = options.reuses()[0];
    progress("starting PostgreSQL and filling the databases");
    let server = TestServer::try_with_settings(settings(options)).await;
    let server = server.map_err(|err| anyhow!(start_failure(&err.to_string(), err.details())))?;
    let small = side::start(options, reuse, server, SMALL).await?;
    let large = side::start(options, reuse, server, size).await?;
    let database = large.client().await;
    statements::prepare(&large.database().admin().await).await?;
    let environment = Environment::read(options, &database).await?;
    report(options, &environment.describe());

    let whole = measure(options, &small, &large, size, "").await?;
    let mut document = Document {
        environment,
        tasks: size.tasks,
        users: size.users,
        whole,
        migration: None,
        partitioned: None,
    };
    if options.scale.partitioned {
        let migration = partitions::apply(&large).await?;
        report(options, &partitions::report(&migration));
        document.migration = Some(migration);
        database.batch_execute("vacuum (analyze) tasks").await?;
        let partitioned = measure(options, &small, &large, size, ", partitioned").await?;
        document.partitioned = Some(partitioned);
    }
    if options.json {
        super::output::print(&serde_json::to_string_pretty(&document)?);
    }
    let all = document.partitioned.iter().chain([&document.whole]);
    let errors: usize = all.flat_map(|found| &found.requests).map(Series::errors).sum();
    ensure!(errors == 0, "{errors} requests had no good response: the figures say nothing");
    Ok(())
}

/// The server's settings, which last as long as it: until the end of this program.
fn settings(options: &Options) -> &'static [(&'static str, &'static str)] {
    let own = options.scale.settings.iter().map(|(name, value)| {
        let leak = |text: &String| -> &'static str { text.clone().leak() };
        (leak(name), leak(value))
    });
    SETTINGS.into_iter().chain(own).collect::<Vec<_>>().leak()
}

/// A message with what the server has logged, and what to do.
fn start_failure(message: &str, log: &str) -> String {
    let hint = if log.contains("pg_stat_statements") {
        "install PostgreSQL's `contrib`, of which `pg_stat_statements` is a part (`apt install postgresql-contrib`), \
         or name a folder with a PostgreSQL that has it in TASKIE_PG_BIN"
    } else {
        "`scale` starts a server of its own: install PostgreSQL, or name its folder in TASKIE_PG_BIN; \
         each `--setting` must be one that it knows"
    };
    format!("{message}\n{log}\nhint: {hint}")
}

async fn measure(
    options: &Options,
    small: &App,
    large: &App,
    size: Size,
    suffix: &str,
) -> anyhow::Result<Findings> {
    let database = large.client().await;
    let relations = sizes::read(&database).await?;
    report(options, &sizes::report(&relations));

    let postgres = services::postgres(&database).await?;
    let (ten, many) = (AtWork::other_ten(size), AtWork::thousand(size));
    let name = |at_work: AtWork| format!("{} tasks, {} users{suffix}", size.tasks, at_work.count());
    let sides = [
        Side::new("1000 tasks, 10 users", small, AtWork::FIRST_TEN, postgres).await?,
        Side::new(&name(ten), large, ten, postgres).await?.list_longest(size).await?,
        Side::new(&name(many), large, many, postgres).await?,
    ];
    let requests = rounds(options, &sides).await?;
    report(options, &series::report(options, &requests));
    let counted = requests.iter().flat_map(|series| {
        let sides = series.sides.iter();
        sides
            .map(|side| (series.operation, series.connections, side.name.as_str(), &side.statement))
    });
    report(options, &statements::report(counted));

    let upkeep = upkeep::measure(&database).await?;
    report(options, &upkeep::report(&upkeep));
    Ok(Findings { requests, sizes: relations, upkeep })
}

/// All sides take turns, as in the other measurements.
async fn rounds(options: &Options, sides: &[Side]) -> anyhow::Result<Vec<Series>> {
    let admin = sides[0].app.database().admin().await;
    let mut all = Vec::new();
    for operation in Operation::selected(options) {
        for connections in options.connections.iter().copied() {
            let sides = sides.iter().map(|side| SideSeries::new(&side.name)).collect();
            all.push(Series { operation, connections, sides });
        }
    }
    for round in 1..=options.rounds {
        for series in &mut all {
            let (operation, connections) = (series.operation, series.connections);
            progress(&format!(
                "round {round} of {}: {}, {connections} connections",
                options.rounds,
                operation.name()
            ));
            let mut order: Vec<usize> = (0..sides.len()).collect();
            order.shuffle(&mut rand::rng());
            for place in order {
                let (side, found) = (&sides[place], &mut series.sides[place]);
                statements::reset(&admin).await?;
                let connections = side.connections(operation, connections);
                found.rounds.push(load::run(connections, options.duration(), side.accounts()));
                let database = side.app.database().name();
                found.statement.add(&statements::most_frequent(&admin, database).await?);
                if operation.writes() {
                    side.tidy().await?;
                }
            }
        }
    }
    all.iter_mut().for_each(Series::compare);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::start_failure;

    #[test]
    fn a_server_that_does_not_start_says_what_is_missing() {
        let log = "FATAL:  could not access file \"pg_stat_statements\": No such file or directory";
        let text = start_failure("cannot start PostgreSQL: it ended, exit status: 1", log);
        assert!(text.contains(log) && text.contains("postgresql-contrib"), "{text}");
        let log = "FATAL:  unrecognized configuration parameter \"jti\"";
        let text = start_failure("cannot start PostgreSQL: it ended, exit status: 1", log);
        assert!(text.contains(log) && text.contains("`--setting`"), "{text}");
    }
}
