//! The PostgreSQL server, as it says itself.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Serialize;
use tokio_postgres::Client;

/// Settings in which a server for measurements may differ from one for data that is kept.
const SETTINGS: [&str; 5] =
    ["fsync", "synchronous_commit", "full_page_writes", "autovacuum", "shared_buffers"];

/// Those that are `off` where a commit does not wait for the disk.
const WAITS_FOR_DISK: [&str; 2] = ["fsync", "synchronous_commit"];

/// Version and settings.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Postgres {
    #[serde(rename = "postgres")]
    pub(crate) version: String,
    #[serde(rename = "postgres_settings")]
    pub(crate) settings: BTreeMap<String, String>,
    /// False where a commit does not wait for the disk.
    #[serde(rename = "disk_is_measured")]
    pub(crate) measures_disk: bool,
}

impl Postgres {
    pub(crate) async fn read(database: &Client) -> anyhow::Result<Self> {
        let statement =
            "select name, current_setting(name) from unnest($1::text[]) as wanted (name)";
        let names: Vec<&str> = SETTINGS.into_iter().chain(["server_version"]).collect();
        let rows =
            database.query(statement, &[&names]).await.context("read PostgreSQL's settings")?;
        let mut settings: BTreeMap<String, String> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let version = settings.remove("server_version").unwrap_or_default();
        Ok(Self::new(version, settings))
    }

    fn new(version: String, settings: BTreeMap<String, String>) -> Self {
        let is_off = |name: &&str| settings.get(*name).is_some_and(|value| value == "off");
        let measures_disk = !WAITS_FOR_DISK.iter().any(is_off);
        Self { version, settings, measures_disk }
    }

    pub(crate) fn describe(&self) -> String {
        let shown = SETTINGS
            .iter()
            .filter_map(|name| self.settings.get(*name).map(|value| format!("{name} = {value}")));
        let settings = shown.collect::<Vec<_>>().join(", ");
        let Self { version, .. } = self;
        if self.measures_disk {
            format!("PostgreSQL {version} ({settings})")
        } else {
            format!(
                "PostgreSQL {version}, UNLIKE A REAL SERVER: THE DISK IS NOT MEASURED ({settings})"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Postgres;

    fn postgres(settings: &[(&str, &str)]) -> Postgres {
        let settings = settings.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Postgres::new("15.13".to_owned(), settings.collect())
    }

    #[test]
    fn a_server_that_does_not_wait_for_the_disk_is_named_so() {
        let kept =
            postgres(&[("fsync", "on"), ("synchronous_commit", "on"), ("autovacuum", "off")]);
        let expected = "PostgreSQL 15.13 (fsync = on, synchronous_commit = on, autovacuum = off)";
        assert_eq!(kept.describe(), expected);
        for name in ["fsync", "synchronous_commit"] {
            let text = postgres(&[(name, "off")]).describe();
            let expected = format!(
                "PostgreSQL 15.13, UNLIKE A REAL SERVER: THE DISK IS NOT MEASURED ({name} = off)"
            );
            assert_eq!(text, expected);
        }
    }
}
