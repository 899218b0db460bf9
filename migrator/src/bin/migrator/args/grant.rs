//! The arguments of `migrator grant`.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::args::duration::parse_limit;

#[derive(Clone, Debug, Args)]
pub(crate) struct GrantArguments {
    /// Role with which the API connects, such as `taskie_api`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) role: String,

    /// Allow it to insert users and update their email addresses: for an API with
    /// `provision_users`, which is its default.
    #[arg(long)]
    pub(crate) provision_users: bool,

    /// Time that a statement of this role may take.
    ///
    /// Should be less than the API's `database_timeout_ms`, so that the server gives up first. Seconds,
    /// or a time with units: `4`, `500ms`, `1m 30s`.
    #[arg(long, value_name = "SECONDS", default_value = "4s", value_parser = parse_limit)]
    pub(crate) statement_timeout: Duration,

    /// Time that a transaction of this role may be idle.
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = parse_limit)]
    pub(crate) idle_in_transaction_timeout: Duration,

    /// PostgreSQL's `random_page_cost` for this role.
    ///
    /// 1.1 is right where the data is in memory or on flash. With 4, PostgreSQL's default, it may read
    /// and sort all tasks of a user for one page of them.
    #[arg(long, value_name = "NUMBER", default_value = "1.1", value_parser = parse_cost)]
    pub(crate) random_page_cost: f64,

    /// Print the script that would run, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn parse_cost(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(cost) if cost.is_finite() && cost > 0.0 => Ok(cost),
        _ => Err("a number above 0 is expected, such as 1.1".to_owned()),
    }
}
