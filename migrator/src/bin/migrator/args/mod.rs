//! The subcommands of `migrator`. What is written here is what `--help` shows.

mod baseline;
mod check;
#[cfg(test)]
mod documented;
mod dot_env;
mod duration;
mod global;
mod grant;
mod health;
mod new;
mod repair;
mod run;
mod schema;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use crate::args::baseline::BaselineArguments;
pub(crate) use crate::args::check::CheckArguments;
pub(crate) use crate::args::dot_env::DotEnv;
pub(crate) use crate::args::global::{DatabaseOptions, MigrationOptions, OutputOptions};
pub(crate) use crate::args::grant::GrantArguments;
pub(crate) use crate::args::health::HealthArguments;
pub(crate) use crate::args::new::NewArguments;
pub(crate) use crate::args::repair::RepairArguments;
pub(crate) use crate::args::run::{LimitOptions, RunArguments, WaitOptions};
pub(crate) use crate::args::schema::{DriftArguments, DumpArguments, ScriptOptions, ShadowOptions};

/// Applies, undoes and inspects the migrations of a PostgreSQL database.
///
/// The migrations are built into this program; `--dir` uses files instead. Each runs in one transaction
/// together with its row in the history (refinery's table), unless its script has the directive
/// `no-transaction`. Only one migrator runs at a time.
#[derive(Debug, Parser)]
#[command(
    name = "migrator",
    version = env!("MIGRATOR_VERSION"),
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
Examples:
  migrator up                          apply all pending migrations
  migrator status                      show every migration and its state
  migrator down --yes                  undo the newest migration
  migrator sql > up.sql                write a script to run by hand
  migrator lint --dir migrations       report dangerous statements in the migrations
  migrator grant --role taskie_api     grant the API's role what it needs, and nothing else
  migrator health                      check the database and the connection to it
  migrator drift                       compare the database with its migrations
  migrator dump                        write the schema as schema.sql

Exit codes:
  0  success, also if there was nothing to do
  1  negative result (`status --check`, `lint`, `health`, `drift`, `dump --check`), or not confirmed
  2  wrong usage or configuration
  3  the database cannot be reached, rejects the login, or is locked by another migrator
  4  the history and the migrations have diverged
  5  a migration failed and was rolled back
  6  a migration without a transaction is incomplete, until `migrator repair`
  10 to 18  findings of `check`; `migrator check --help` lists them
  129, 130, 143  interrupted; the shadow database was dropped"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) database: DatabaseOptions,
    #[command(flatten)]
    pub(crate) migrations: MigrationOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply pending migrations, oldest first.
    ///
    /// A migration whose first line is `-- migrator: no-transaction` runs statement by statement; if it
    /// stops in the middle, it is incomplete until `migrator repair`. Any other is rolled back if it
    /// fails; those before it stay applied.
    #[command(after_help = "\
Examples:
  migrator up                          apply all pending migrations
  migrator up --to 3                   stop after version 3
  migrator up --dry-run                show what would run, and run nothing
  migrator up --dir migrations         apply the files in a folder, not the built-in ones")]
    Up {
        /// Stop after this version.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i64).range(1..))]
        to: Option<i64>,
        /// Print what would run, in order, and change nothing.
        ///
        /// With the checksum of each script, its timeouts, and whether it runs in a transaction.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Undo applied migrations, newest first; by default one.
    ///
    /// Drops what the migrations created, data included. Asks for confirmation on a terminal;
    /// elsewhere it needs `--yes`.
    #[command(after_help = "\
Examples:
  migrator down                        undo the newest migration, after asking
  migrator down --steps 2 --yes        undo the two newest without asking
  migrator down --dry-run              show what would run, and run nothing
  migrator down --to 0 --yes           undo all migrations")]
    Down {
        /// Undo all migrations after this version; 0 undoes all.
        #[arg(long, value_name = "VERSION", conflicts_with = "steps", value_parser = clap::value_parser!(i64).range(0..))]
        to: Option<i64>,
        /// Number of migrations to undo.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Print what would run, in order, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Show every migration and its state: applied, pending, incomplete, diverged or missing.
    ///
    /// Writes nothing, not even the history table of a new database.
    #[command(after_help = "\
Examples:
  migrator status                      one line for each migration
  migrator status --check              for scripts: 1 when any is pending, 4 diverged, 6 incomplete
  migrator status --json | jq '.migrations[] | select(.state == \"pending\")'")]
    Status {
        /// Exit with 6 if a migration is incomplete, else with 4 if any is diverged or missing, else
        /// with 1 if any is pending.
        #[arg(long)]
        check: bool,
    },

    /// Clean up after a migration without a transaction that stopped in the middle.
    ///
    /// Drops the invalid index of a failed index build, finds out which statements are done, and lets
    /// `up` (or `down`) resume at the next one. Statements that are done must not have been edited; the
    /// others may be. Does nothing if no migration is incomplete.
    #[command(after_help = "\
Examples:
  migrator repair --dry-run            show what is done and what would be dropped
  migrator repair                      then `migrator up` resumes
  migrator repair --applied            the rest was run by hand
  migrator repair --undo --yes         undo the incomplete migration")]
    Repair {
        #[command(flatten)]
        arguments: RepairArguments,
        /// Print what would be done, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Write a script that applies or undoes migrations by hand, history included.
    ///
    /// Needs no database. Each migration is a transaction that first checks the history: on a database
    /// that is not at `--from`, it fails and changes nothing. A migration without a transaction is
    /// written statement by statement, with records of its progress.
    #[command(after_help = "\
Examples:
  migrator sql > up.sql                all migrations, for a database without a history
  migrator sql --from 1 > up.sql       the migrations after version 1
  migrator sql --down --to 2 > down.sql
                                       undo, from the newest back to version 2
  psql --no-psqlrc --set ON_ERROR_STOP=1 --file up.sql \"$DATABASE_URL\"
                                       run the script")]
    Sql {
        /// Current version of the database; by default 0, or with `--down` the newest.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i64).range(0..))]
        from: Option<i64>,
        /// Target version; by default the newest.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i64).range(0..))]
        to: Option<i64>,
        /// Undo all migrations after `--to`, newest first.
        #[arg(long, requires = "to")]
        down: bool,
        #[command(flatten)]
        limits: LimitOptions,
    },

    /// Mark migrations as applied on an existing schema, without running them.
    ///
    /// For a database without a history, whose tables were created by another tool. First checks that
    /// the tables, columns, indexes, triggers, functions and types of the migrations exist, by comparing
    /// it with a shadow database. Asks for confirmation on a terminal; elsewhere it needs `--yes`.
    ///
    /// If there is a history, marks the migrations after it: for a database that was changed by hand,
    /// once `new --from-drift` has written these changes as a migration. The schema must then be
    /// exactly that of the migrations, which is checked in a shadow database.
    #[command(after_help = "\
Examples:
  migrator baseline 1 --dry-run        check if the schema is that of version 1
  migrator baseline 1                  mark it as such; `migrator up` applies the rest
  migrator baseline 4                  on a database at version 3, where V4 was done by hand
  migrator baseline --from-alembic     if Alembic created the tables of the API's predecessor")]
    Baseline {
        #[command(flatten)]
        arguments: BaselineArguments,
        /// Check the schema, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask for confirmation.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        wait: WaitOptions,
        #[command(flatten)]
        shadow: ShadowOptions,
    },

    /// Print the newest applied migration, or `none`. Writes nothing.
    #[command(after_help = "\
Examples:
  migrator current                     such as V1__initial_schema
  migrator current --json | jq .version")]
    Current,

    /// Create the files of the next migration: its script and its undo script.
    ///
    /// They are written to `--dir`, by default `./migrations`. Overwrites nothing. Only `--from-drift`
    /// needs a database.
    #[command(after_help = "\
Examples:
  migrator new add_due_date            create V2__add_due_date.sql and V2__add_due_date.down.sql
  migrator new \"Add due date\"          the same
  migrator new add_due_date --from-drift
                                       with the changes that were made by hand")]
    New(NewArguments),

    /// Report dangerous statements in the migrations: locks, table rewrites, dropped columns.
    ///
    /// Needs no database. The rules are squawk's, without those on style; of undo scripts, only
    /// statements that block other sessions are reported. The contents of `do` blocks and functions
    /// are not checked.
    ///
    /// A comment above the statement accepts a finding, with a reason:
    /// `-- migrator: allow RULE because REASON`. For a file that must not change any more, so does a
    /// line of `lint.allow` beside it: `V2__name allow RULE because REASON`. Exits with 1 if there are
    /// findings.
    #[command(after_help = "\
Examples:
  migrator lint --dir migrations       check the files in a folder
  migrator lint --from 3               check only the migrations after version 3
  migrator lint --json | jq '.findings[] | {rule, file, line}'")]
    Lint {
        /// Check only the migrations after this version.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i64).range(0..))]
        from: Option<i64>,
    },

    /// Check everything at once: the history, undo scripts and pending migrations.
    ///
    /// Tests the undo scripts: in a shadow database, which is dropped afterwards, each migration is
    /// applied, undone and applied again, and the schemas are compared. Pending migrations are linted.
    /// Finds columns that must have a value, have no default, and are not written by the API. Writes
    /// nothing to the database itself.
    #[command(after_help = "\
Examples:
  migrator check                       for CI, after a deployment
  migrator check --allow pending --dir migrations
                                       for a pull request that adds a migration
  migrator check --json | jq '.findings[] | {finding, migration, message}'

Exit codes; of several findings, the smallest:
  10  edited: a migration was changed after it was applied
  11  missing: an applied migration has no file
  12  out_of_order: a migration is pending although a later one is applied
  13  incomplete: a migration without a transaction stopped in the middle
  14  undo: an undo script does not restore the previous schema
  15  no_undo_script: a migration has no undo script
  16  lint: a pending migration has a dangerous statement
  17  pending: a migration is not applied yet
  18  required_column: a column makes the API's inserts fail")]
    Check(CheckArguments),

    /// Grant the API's role exactly the privileges that the API needs.
    ///
    /// The role must exist and own nothing. It gets the privileges that the API's statements need,
    /// timeouts, and a setting of the planner; all its other privileges in this database are revoked, as
    /// are its memberships in other roles. What every role may create, temporary tables and, up to
    /// PostgreSQL 14, tables in `public`, is revoked from every role.
    ///
    /// All changes are made in one transaction. Running it twice changes nothing; run it again after
    /// migrations that add tables.
    #[command(after_help = "\
Examples:
  migrator grant --role taskie_api     if an auth provider creates the users
  migrator grant --role taskie_api --provision-users
                                       if the API creates them, which is its default
  migrator grant --role taskie_api --dry-run > grant.sql
                                       print the script, to review or to run by hand")]
    Grant {
        #[command(flatten)]
        arguments: GrantArguments,
        #[command(flatten)]
        wait: WaitOptions,
    },

    /// Check the database and the connection to it: TLS, timing, load, migrations, role.
    ///
    /// Uses the URL as it is given, also a pooled one, makes one attempt, and writes nothing. For a
    /// database on Neon, checks both the pooled and the direct endpoint. Exits with 1 if the database
    /// cannot be used, or a limit is exceeded.
    #[command(after_help = "\
Examples:
  migrator health                      print a report
  migrator health --role taskie_api    warn if that role can do more than the API should
  migrator health --max-connect-ms 250 --max-ping-ms 20 --max-connections-pct 80
                                       for scripts: exit with 1 if it is too slow or too full
  migrator health --watch 5            check every 5 seconds
  migrator health --json | jq .round_trip_ms.p95")]
    Health {
        #[command(flatten)]
        arguments: HealthArguments,
    },

    /// Compare the schema of the database with that of its migrations.
    ///
    /// Runs the applied migrations in a shadow database, which is dropped afterwards. Compares tables,
    /// columns, constraints, indexes, triggers, functions, views, types, sequences, policies and
    /// comments. Exits with 1 if any differs. Writes nothing to the database itself.
    #[command(after_help = "\
Examples:
  migrator drift                       `+` only in the database, `-` only in the migrations
  migrator drift --ignore audit_log --ignore 'reports.*'
                                       ignore a table and a schema
  migrator drift --shadow-url postgresql://postgres@localhost/postgres
                                       create the shadow database on this machine
  migrator drift --script --assume-timezone UTC > adopt.sql
                                       write what takes the database to its migrations
  migrator drift --json | jq -r '.differences[].object'")]
    Drift(DriftArguments),

    /// Write the schema of the migrations as one script, for review.
    ///
    /// Runs the migrations in a shadow database, which is dropped afterwards. The script creates the
    /// same schema in an empty database. Its order is the same on every version of PostgreSQL.
    #[command(after_help = "\
Examples:
  migrator dump                        write schema.sql
  migrator dump --check                for CI: exit with 1 if schema.sql is not current
  migrator dump --shadow-url postgresql://postgres@localhost/postgres
                                       use this server, and no other database
  migrator dump --live --output -      print the schema of the database")]
    Dump(DumpArguments),

    /// Print the completion script for a shell.
    #[command(after_help = "\
Examples:
  migrator completions bash > ~/.local/share/bash-completion/completions/migrator
  migrator completions zsh > ~/.zfunc/_migrator
  migrator completions fish > ~/.config/fish/completions/migrator.fish")]
    Completions {
        /// The shell.
        shell: Shell,
    },

    /// Print the manual page of this program, or of a command.
    #[command(after_help = "\
Examples:
  migrator man | man -l -              read it
  migrator man up > ~/.local/share/man/man1/migrator-up.1")]
    Man {
        /// A command, such as `up`.
        #[arg(value_parser = parse_command)]
        command: Option<String>,
    },
}

impl Command {
    /// As it is written on the command line.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Up { .. } => "up",
            Self::Down { .. } => "down",
            Self::Status { .. } => "status",
            Self::Repair { .. } => "repair",
            Self::Sql { .. } => "sql",
            Self::Baseline { .. } => "baseline",
            Self::Current => "current",
            Self::New(_) => "new",
            Self::Lint { .. } => "lint",
            Self::Check(_) => "check",
            Self::Grant { .. } => "grant",
            Self::Health { .. } => "health",
            Self::Drift(_) => "drift",
            Self::Dump(_) => "dump",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }
}

/// The name of a command.
fn parse_command(name: &str) -> Result<String, String> {
    let program = Cli::command();
    let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("the commands are {}", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
    }
}
