//! The arguments of `migrator grant`.

use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::args::duration::parse_limit;

#[derive(Clone, Debug, Args)]
pub(crate) struct GrantArguments {
    /// The role with which the API connects, such as `taskie_api`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) role: String,

    /// Let it insert users: for an API with `provision_users`, which is on by default.
    #[arg(long)]
    pub(crate) provision_users: bool,

    /// The longest that a statement of this role may take.
    ///
    /// A little less than the API waits (`database_timeout_ms`), so that the server gives up first.
    /// Seconds, or a number with a unit: `4`, `4s`, `500ms`, `2m`.
    #[arg(long, value_name = "SECONDS", default_value = "4s", value_parser = parse_limit)]
    pub(crate) statement_timeout: Duration,

    /// The longest that a transaction of this role may wait for its next statement.
    #[arg(long, value_name = "SECONDS", default_value = "10s", value_parser = parse_limit)]
    pub(crate) idle_in_transaction_timeout: Duration,

    /// Print the script that would run, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
