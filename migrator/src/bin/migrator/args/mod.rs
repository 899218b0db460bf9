//! The subcommands of `migrator`. What is written here is what `--help` shows.

mod baseline;
mod check;
#[cfg(test)]
mod documented;
mod duration;
mod global;
mod grant;
mod health;
mod lint;
mod new;
mod repair;
mod run;
mod schema;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use crate::args::baseline::BaselineArguments;
pub(crate) use crate::args::check::CheckArguments;
pub(crate) use crate::args::global::{
    DatabaseOptions, MigrationOptions, OutputOptions, check_dot_env,
};
pub(crate) use crate::args::grant::GrantArguments;
pub(crate) use crate::args::health::HealthArguments;
pub(crate) use crate::args::lint::LintArguments;
pub(crate) use crate::args::new::NewArguments;
pub(crate) use crate::args::repair::RepairArguments;
pub(crate) use crate::args::run::{LimitOptions, RunArguments, WaitOptions};
pub(crate) use crate::args::schema::{DriftArguments, DumpArguments, ShadowOptions};

/// Applies, undoes and inspects the migrations of a PostgreSQL database.
///
/// The migrations are built into this program; `--dir` uses files instead. Each runs in one transaction
/// together with its row in the history (refinery's table), unless it asks to run without, and one
/// migrator works at a time.
#[derive(Debug, Parser)]
#[command(
    name = "migrator",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
Examples:
  migrator up                          apply everything that is pending
  migrator status                      show every migration and its state
  migrator down --yes                  undo the newest migration
  migrator sql > up.sql                write the script to run by hand
  migrator lint --dir migrations       look for what is dangerous in the migrations
  migrator grant --role taskie_api     give the API's role what it needs, and nothing else
  migrator health                      look at the database and the way to it
  migrator drift                       compare the database with what its migrations make
  migrator dump                        write that as schema.sql

Exit codes:
  0  done, also when there was nothing to do
  1  the answer is no (`status --check`, `lint`, `health`, `drift`, `dump --check`, a question
     answered with no)
  2  wrong usage or configuration
  3  the database cannot be reached, refuses, or is locked by another migrator
  4  the history and the migrations have diverged
  5  a migration failed and was rolled back
  6  a migration without a transaction is incomplete, until `migrator repair`
  10 to 17
     what `check` found; `migrator check --help` lists them
  129, 130, 143  interrupted, and the shadow database removed"
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
    /// Applying twice changes nothing. A migration that fails is rolled back; those before it stay.
    /// One whose first line says `-- migrator: no-transaction` runs statement by statement; where it
    /// stops in the middle, it is incomplete until `migrator repair`.
    #[command(after_help = "\
Examples:
  migrator up                          apply everything that is pending
  migrator up --to 3                   stop after version 3
  migrator up --dry-run                show what would run, and run nothing
  migrator up --dir migrations         apply the files in a folder, not the built-in ones")]
    Up {
        /// Stop after this version.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i32).range(1..))]
        to: Option<i32>,
        /// Print what would run, in order, and change nothing.
        ///
        /// With the checksums that the history will have, whether each script runs in a transaction,
        /// for how long its statements wait for a lock on a table, and for how long they may take.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Undo applied migrations, newest first: one, unless told otherwise.
    ///
    /// Destroys what the migrations made, data included. Asks on a terminal; elsewhere it needs
    /// `--yes`.
    #[command(after_help = "\
Examples:
  migrator down                        undo the newest migration, after asking
  migrator down --steps 2 --yes        undo the two newest without asking
  migrator down --dry-run              show what would run, and run nothing
  migrator down --to 0 --yes           undo everything")]
    Down {
        /// Undo everything after this version; 0 is everything.
        #[arg(long, value_name = "VERSION", conflicts_with = "steps", value_parser = clap::value_parser!(i32).range(0..))]
        to: Option<i32>,
        /// Undo so many migrations.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
        /// Print what would run, in order, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Show every migration and its state: applied, pending, incomplete, diverged or missing.
    ///
    /// Writes nothing, also on a database that has never seen a migration.
    #[command(after_help = "\
Examples:
  migrator status                      one line for each migration
  migrator status --check              for scripts: 1 when any is pending, 4 diverged, 6 incomplete
  migrator status --json | jq '.migrations[] | select(.state == \"pending\")'")]
    Status {
        /// Exit with 6 when a migration is incomplete, else with 4 when any is diverged or missing, else
        /// with 1 when any is pending.
        #[arg(long)]
        check: bool,
    },

    /// Clear up after a migration without a transaction that stopped in the middle.
    ///
    /// Drops the invalid index that a broken build has left, finds out which statements are done, and
    /// makes `up` (or `down`) go on with the next one. Statements that are done must not have been
    /// edited; editing the rest is what this is for. With nothing incomplete, it does nothing.
    #[command(after_help = "\
Examples:
  migrator repair --dry-run            show what is done and what would be dropped
  migrator repair                      then `migrator up` goes on
  migrator repair --applied            the rest was done by hand
  migrator repair --undo --yes         give the migration up")]
    Repair {
        #[command(flatten)]
        arguments: RepairArguments,
        /// Print what would be done, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        run: RunArguments,
    },

    /// Write the script that applies or undoes migrations by hand, history included.
    ///
    /// Needs no database. Each migration is a transaction of its own, which first looks at the
    /// history: on a database that is not at `--from` it fails and changes nothing. One that runs
    /// without a transaction is written statement by statement, with notes of what is done.
    #[command(after_help = "\
Examples:
  migrator sql > up.sql                everything, for a database without a history
  migrator sql --from 1 > up.sql       what comes after version 1
  migrator sql --down --to 2 > down.sql
                                       back to version 2, from the newest
  psql --no-psqlrc --set ON_ERROR_STOP=1 --file up.sql \"$DATABASE_URL\"
                                       how to run it")]
    Sql {
        /// The version at which the database is: 0, or with `--down` the newest, unless told otherwise.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i32).range(0..))]
        from: Option<i32>,
        /// The version to go to: the newest, unless told otherwise.
        #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(i32).range(0..))]
        to: Option<i32>,
        /// Undo everything after `--to`, newest first.
        #[arg(long, requires = "to")]
        down: bool,
        #[command(flatten)]
        limits: LimitOptions,
    },

    /// Adopt a schema that is there already: note its migrations as applied, and run none.
    ///
    /// For a database without a history, whose tables were made by something else. Looks first
    /// whether the tables, columns, indexes, triggers and functions that the migrations make are
    /// there; what they make, it finds out by making it in a schema of its own, in a transaction
    /// that is rolled back. Asks on a terminal; elsewhere it needs `--yes`.
    ///
    /// Where there is a history, notes the migrations after it: for a database that was changed by
    /// hand, once `new --from-drift` has made a migration of that. The schema must then be exactly
    /// what the migrations leave, which is seen in a shadow database.
    #[command(after_help = "\
Examples:
  migrator baseline 1 --dry-run        look whether the schema is that of version 1
  migrator baseline 1                  the history then says so; `migrator up` applies the rest
  migrator baseline 4                  on a database at version 3 where V4 was done by hand
  migrator baseline --from-alembic     where Alembic has made the tables of the API's predecessor")]
    Baseline {
        #[command(flatten)]
        arguments: BaselineArguments,
        /// Look at everything, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
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

    /// Make the files of the next migration: the script and the one that undoes it.
    ///
    /// They go to `--dir`, or else to `./migrations`. Nothing is overwritten, and no database is
    /// needed, but for `--from-drift`.
    #[command(after_help = "\
Examples:
  migrator new add_due_date            makes V2__add_due_date.sql and V2__add_due_date.down.sql
  migrator new \"Add due date\"          the same
  migrator new add_due_date --from-drift
                                       makes them of what was done to the database by hand")]
    New(NewArguments),

    /// Look for what is dangerous in the migrations: locks, rewrites, lost columns.
    ///
    /// Needs no database. The rules are squawk's, but for matters of style; scripts that undo are
    /// asked only whether they block others. What is inside `do` blocks and functions is not seen.
    ///
    /// What is meant to be so is accepted with a reason, in a comment above the statement:
    /// `-- migrator: allow RULE because REASON`. In a file that never changes any more it is accepted
    /// by a line of `lint.allow` beside it: `V2__name allow RULE because REASON`. Exits with 1 when
    /// anything is found.
    #[command(after_help = "\
Examples:
  migrator lint --dir migrations       look at the files in a folder
  migrator lint --from 3               only at what comes after version 3
  migrator lint --json | jq '.findings[] | {rule, file, line}'")]
    Lint(LintArguments),

    /// Ask in one go whether everything is in order: history, undo scripts, pending migrations.
    ///
    /// That undoing undoes is proven: in a shadow database, which is removed again, each migration is
    /// applied, undone and applied again, and what is there is compared. What is pending is linted.
    /// Writes nothing to the database itself.
    #[command(after_help = "\
Examples:
  migrator check                       for CI, after a deployment
  migrator check --allow pending --dir migrations
                                       for a pull request that adds a migration
  migrator check --json | jq '.findings[] | {finding, migration, message}'

Exit codes, of several findings the smallest:
  10  edited: a migration was changed after it was applied
  11  missing: an applied migration has no file
  12  out_of_order: a migration is pending although a later one is applied
  13  incomplete: a migration broke off in the middle
  14  undo: a script that undoes does not undo
  15  no_undo_script: a migration has no script that undoes it
  16  lint: something in a pending migration is dangerous
  17  pending: a migration is not applied yet")]
    Check(CheckArguments),

    /// Give the API's role exactly what the API needs.
    ///
    /// The role exists already and owns nothing. It gets the rights that the API's statements need,
    /// and time limits; whatever else it was granted in this database is revoked, as are memberships
    /// in other roles. What every role can make, which is temporary tables and, up to PostgreSQL 14,
    /// tables in `public`, is taken from every role.
    ///
    /// All of it happens in one transaction, or nothing does. Running it twice changes nothing; run
    /// it again after migrations that add tables.
    #[command(after_help = "\
Examples:
  migrator grant --role taskie_api     where an auth provider makes the users
  migrator grant --role taskie_api --provision-users
                                       where the API makes them, which is its default
  migrator grant --role taskie_api --dry-run > grant.sql
                                       the same as a script, to read or to run by hand")]
    Grant {
        #[command(flatten)]
        arguments: GrantArguments,
        #[command(flatten)]
        wait: WaitOptions,
    },

    /// Look at the database and the way to it: TLS, times, connections, migrations, role.
    ///
    /// Uses the URL as it is given, also when that is a pooled one, makes one attempt, and writes
    /// nothing. Of a database at Neon, the pooled and the direct endpoint are both tried. Exits with
    /// 1 when the database cannot be used, or a limit is exceeded.
    #[command(after_help = "\
Examples:
  migrator health                      a report to read
  migrator health --role taskie_api    warns if that role can do more than the API should
  migrator health --max-connect-ms 250 --max-ping-ms 20 --max-connections-pct 80
                                       for scripts: exit 1 when it is too slow or too full
  migrator health --watch 5            look again every 5 seconds
  migrator health --json | jq .round_trip_ms.p95")]
    Health {
        #[command(flatten)]
        arguments: HealthArguments,
    },

    /// Compare the database with what its migrations make.
    ///
    /// The applied migrations are run in a shadow database, which is made for that and removed
    /// again. Tables, columns, constraints, indexes, triggers, functions, views, types, sequences,
    /// policies and comments are compared. Exits with 1 when any differs. Writes nothing to the
    /// database itself.
    #[command(after_help = "\
Examples:
  migrator drift                       `+` only the database has it, `-` only the migrations make it
  migrator drift --ignore audit_log --ignore 'reports.*'
                                       leave out a table and a schema
  migrator drift --shadow-url postgresql://postgres@localhost/postgres
                                       make the shadow database on this machine
  migrator drift --json | jq -r '.differences[].object'")]
    Drift(DriftArguments),

    /// Write the schema as one script, to review what the migrations come to.
    ///
    /// The migrations are run in a shadow database, which is made for that and removed again. The
    /// script makes the same in an empty database. Its order is always the same, also for other
    /// versions of PostgreSQL.
    #[command(after_help = "\
Examples:
  migrator dump                        writes schema.sql
  migrator dump --check                for CI: exit 1 when schema.sql is not current
  migrator dump --shadow-url postgresql://postgres@localhost/postgres
                                       needs no other database than a server for the shadow
  migrator dump --live --output -      print what is in the database")]
    Dump(DumpArguments),

    /// Print the script that completes this program's arguments in a shell.
    #[command(after_help = "\
Examples:
  migrator completions bash > ~/.local/share/bash-completion/completions/migrator
  migrator completions zsh > ~/.zfunc/_migrator
  migrator completions fish > ~/.config/fish/completions/migrator.fish")]
    Completions {
        /// Which shell.
        shell: Shell,
    },

    /// Print the manual page of this program, or of one of its commands.
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
            Self::Lint(_) => "lint",
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
