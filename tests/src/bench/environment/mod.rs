//! Where the figures are from.

mod machine;
mod postgres;

use chrono::Utc;
use serde::Serialize;
use tokio_postgres::Client;

use self::machine::Machine;
use self::postgres::Postgres;
use super::options::{Options, Part};
use crate::Component;
use crate::runtime::spin_version;
use crate::settings::{RuntimeKind, SETTINGS};

/// Time, versions and the machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Environment {
    /// The day in UTC, such as `2026-11-29`.
    date: String,
    commit: String,
    /// None where the part has no rounds.
    rounds: Option<u32>,
    /// Of each measurement; none where that ends with a number of requests.
    seconds: Option<u64>,
    /// False if this program and what it builds are not: the load, the native server, and `local`.
    is_optimised: bool,
    #[serde(flatten)]
    components: Option<Components>,
    #[serde(flatten)]
    postgres: Postgres,
    #[serde(flatten)]
    machine: Machine,
}

/// The components and what runs them.
#[derive(Clone, Debug, Serialize)]
struct Components {
    host: String,
    /// The build of the components.
    component: &'static str,
    api_bytes: u64,
    floor_bytes: u64,
    log_level: String,
    /// On Spin, whether the variables are in a file; else they are in its environment.
    has_variables_file: bool,
}

impl Environment {
    /// `database` is a connection to the server.
    pub(crate) async fn read(options: &Options, database: &Client) -> anyhow::Result<Self> {
        let has_rounds = matches!(options.part, Part::Throughput | Part::Scale | Part::Indexes);
        let has_seconds = has_rounds && options.part != Part::Indexes;
        Ok(Self {
            date: Utc::now().date_naive().to_string(),
            commit: machine::commit(),
            rounds: has_rounds.then_some(options.rounds),
            seconds: has_seconds.then_some(options.seconds),
            is_optimised: !cfg!(debug_assertions),
            components: options.part.has_components().then(|| Components::read(options)),
            postgres: Postgres::read(database).await?,
            machine: Machine::read(),
        })
    }

    /// For plots: the host and the build in a few words, and below that when and on what.
    pub(crate) fn title(&self) -> [String; 2] {
        let Self { postgres, machine, date, commit, .. } = self;
        let components = self.components.as_ref();
        let host = components.map(|one| format!("{}, {}, ", one.host, one.component));
        let disk = if postgres.measures_disk { "" } else { ", the disk is not measured" };
        [
            format!("{}PostgreSQL {}{disk}", host.unwrap_or_default(), postgres.version),
            format!(
                "{date}, {commit}, {} × {}{}",
                machine.processors,
                machine.processor,
                self.work()
            ),
        ]
    }

    pub(crate) fn describe(&self) -> String {
        let Self { date, commit, postgres, machine, .. } = self;
        let components = self.components.as_ref().map(|one| one.describe(self.is_optimised));
        format!(
            "{}{date} (UTC), commit {commit}{}\n{}\n{}\n",
            components.unwrap_or_default(),
            self.work(),
            machine.describe(),
            postgres.describe()
        )
    }

    /// With a comma before it; empty where the part tells itself how much it does.
    fn work(&self) -> String {
        match (self.rounds, self.seconds) {
            (Some(rounds), Some(seconds)) => format!(", rounds: {rounds} of {seconds} s"),
            (Some(rounds), None) => format!(", rounds: {rounds}"),
            _ => String::new(),
        }
    }
}

impl Components {
    fn read(options: &Options) -> Self {
        let component = Component::under_test();
        let size = |name| std::fs::metadata(component.file(name)).map_or(0, |file| file.len());
        Self {
            host: match SETTINGS.runtime {
                RuntimeKind::Local => "local".to_owned(),
                RuntimeKind::Spin { .. } => spin_version().unwrap_or_else(|| "spin".to_owned()),
            },
            component: component.name(),
            api_bytes: size("api"),
            floor_bytes: size("floor"),
            log_level: options.log_level.clone(),
            has_variables_file: options.has_variables_file(),
        }
    }

    fn describe(&self, is_optimised: bool) -> String {
        let warning = match SETTINGS.runtime {
            _ if is_optimised => "",
            RuntimeKind::Local => {
                "NOT OPTIMISED: these figures mean nothing; use `cargo bench-api`\n"
            }
            // Spin is, and so are the components in every profile.
            RuntimeKind::Spin { .. } => {
                "not optimised: the load and the native server; use `cargo bench-api-spin`\n"
            }
        };
        let variables = match SETTINGS.runtime {
            RuntimeKind::Local => "",
            RuntimeKind::Spin { .. } if self.has_variables_file => ", variables in a file",
            RuntimeKind::Spin { .. } => ", variables in the environment",
        };
        format!(
            "{warning}{}{variables}, log_level {}; components of {}: the API {} bytes, the bare one {} bytes\n",
            self.host, self.log_level, self.component, self.api_bytes, self.floor_bytes
        )
    }
}
