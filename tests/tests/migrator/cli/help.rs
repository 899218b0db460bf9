//! `--help`, the reference of the program: every word of it is in a snapshot.

use insta::assert_snapshot;

use crate::support::program::run_with;

/// The output of the program with these arguments, without `hunter2`.
async fn help(arguments: &[&str]) -> String {
    // Secrets in the environment must not show.
    let variables = [("DATABASE_URL", "postgresql://ann:hunter2@db.example.com/shop")];
    let output = run_with(&variables, arguments).await.exits(0).does_not_print("hunter2");
    // Without trailing spaces, which clap leaves.
    output.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// The help of a command, with `<global options>` in place of the global options: they must be the
/// same, byte for byte, as in the program's help, whose snapshot has them.
async fn help_of(command: &str) -> String {
    let text = help(&[command, "--help"]).await;
    let of_the_program = help(&["--help"]).await;
    let options = global_options(&text);
    assert_eq!(options, global_options(&of_the_program), "`{command}`: other global options");
    text.replacen(options, "<global options>\n", 1)
}

/// The block of the global options, up to the next heading.
fn global_options(help: &str) -> &str {
    let start = help.find("Global options:\n").expect("global options");
    let len = help[start..].find("\nExamples:").expect("examples after the global options");
    &help[start..start + len]
}

#[tokio::test]
async fn of_the_program() {
    assert_snapshot!(help(&["--help"]).await, @r"
    Applies, undoes and inspects the migrations of a PostgreSQL database.

    The migrations are built into this program; `--dir` uses files instead. Each runs in one transaction
    together with its row in the history (refinery's table), unless its script has the directive
    `no-transaction`. Only one migrator runs at a time.

    Usage: migrator [OPTIONS] <COMMAND>

    Commands:
      up           Apply pending migrations, oldest first
      down         Undo applied migrations, newest first; by default one
      status       Show every migration and its state: applied, pending, incomplete, diverged or missing
      repair       Clean up after a migration without a transaction that stopped in the middle
      sql          Write a script that applies or undoes migrations by hand, history included
      baseline     Mark migrations as applied on an existing schema, without running them
      current      Print the newest applied migration, or `none`. Writes nothing
      new          Create the files of the next migration: its script and its undo script
      lint         Report dangerous statements in the migrations: locks, table rewrites, dropped columns
      check        Check everything at once: the history, undo scripts and pending migrations
      grant        Grant the API's role exactly the privileges that the API needs
      health       Check the database and the connection to it: TLS, timing, load, migrations, role
      drift        Compare the schema of the database with that of its migrations
      dump         Write the schema of the migrations as one script, for review
      completions  Print the completion script for a shell
      man          Print the manual page of this program, or of a command
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --database-url <URL>
              Connection string of the database: `postgresql://USER:PASSWORD@HOST/DATABASE`.

              Better set in the environment or in a `.env` file, in single quotes: other users of the
              machine can see arguments.

              [env: DATABASE_URL]

          --database-ca <FILE>
              PEM file of a private certificate authority to trust as well

              [env: DATABASE_CA]

          --connect-timeout <SECONDS>
              Time to keep trying while the database does not answer.

              Seconds, or a time with units: `30`, `500ms`, `1m 30s`.

              [env: MIGRATOR_CONNECT_TIMEOUT]
              [default: 30]

          --dir <DIR>
              Folder of migrations to use instead of the built-in ones

              [env: MIGRATOR_DIR]

          --json
              Print one JSON document on standard output, also on failure

      -q, --quiet
              Print no progress, only results, warnings and errors

      -v, --verbose
              Also print which `.env` files were read

          --no-color
              Print without colours, as with `NO_COLOR` set.

              Output that does not go to a terminal never has colours.

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
      129, 130, 143  interrupted; the shadow database was dropped
    ");
}

#[tokio::test]
async fn of_up() {
    assert_snapshot!(help_of("up").await, @r"
    Apply pending migrations, oldest first.

    A migration whose first line is `-- migrator: no-transaction` runs statement by statement; if it
    stops in the middle, it is incomplete until `migrator repair`. Any other is rolled back if it fails;
    those before it stay applied.

    Usage: migrator up [OPTIONS]

    Options:
          --to <VERSION>
              Stop after this version

          --dry-run
              Print what would run, in order, and change nothing.

              With the checksum of each script, its timeouts, and whether it runs in a transaction.

          --lock-timeout <SECONDS>
              Time that a statement waits for a table lock before giving up.

              PostgreSQL's `lock_timeout`, unless a script sets its own; 0 is no limit. A statement that
              waits blocks other sessions that need the table. Statements with `concurrently` do not
              block other sessions, and have no limit.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              Time that a statement may take.

              PostgreSQL's `statement_timeout`, unless a script sets its own; 0 is no limit. By default
              the server's setting for the role.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              Retries after a lock timeout or deadlock, with increasing pauses.

              The script is rolled back each time; one without a transaction retries only the statement.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              Time to wait while another migrator is running.

              Seconds, or a time with units: `60`, `500ms`, `1m 30s`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator up                          apply all pending migrations
      migrator up --to 3                   stop after version 3
      migrator up --dry-run                show what would run, and run nothing
      migrator up --dir migrations         apply the files in a folder, not the built-in ones
    ");
}

#[tokio::test]
async fn of_down() {
    assert_snapshot!(help_of("down").await, @r"
    Undo applied migrations, newest first; by default one.

    Drops what the migrations created, data included. Asks for confirmation on a terminal; elsewhere it
    needs `--yes`.

    Usage: migrator down [OPTIONS]

    Options:
          --to <VERSION>
              Undo all migrations after this version; 0 undoes all

          --steps <N>
              Number of migrations to undo

              [default: 1]

          --dry-run
              Print what would run, in order, and change nothing

      -y, --yes
              Do not ask for confirmation

          --lock-timeout <SECONDS>
              Time that a statement waits for a table lock before giving up.

              PostgreSQL's `lock_timeout`, unless a script sets its own; 0 is no limit. A statement that
              waits blocks other sessions that need the table. Statements with `concurrently` do not
              block other sessions, and have no limit.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              Time that a statement may take.

              PostgreSQL's `statement_timeout`, unless a script sets its own; 0 is no limit. By default
              the server's setting for the role.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              Retries after a lock timeout or deadlock, with increasing pauses.

              The script is rolled back each time; one without a transaction retries only the statement.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              Time to wait while another migrator is running.

              Seconds, or a time with units: `60`, `500ms`, `1m 30s`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator down                        undo the newest migration, after asking
      migrator down --steps 2 --yes        undo the two newest without asking
      migrator down --dry-run              show what would run, and run nothing
      migrator down --to 0 --yes           undo all migrations
    ");
}

#[tokio::test]
async fn of_status() {
    assert_snapshot!(help_of("status").await, @r#"
    Show every migration and its state: applied, pending, incomplete, diverged or missing.

    Writes nothing, not even the history table of a new database.

    Usage: migrator status [OPTIONS]

    Options:
          --check
              Exit with 6 if a migration is incomplete, else with 4 if any is diverged or missing, else
              with 1 if any is pending

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator status                      one line for each migration
      migrator status --check              for scripts: 1 when any is pending, 4 diverged, 6 incomplete
      migrator status --json | jq '.migrations[] | select(.state == "pending")'
    "#);
}

#[tokio::test]
async fn of_current() {
    assert_snapshot!(help_of("current").await, @r"
    Print the newest applied migration, or `none`. Writes nothing

    Usage: migrator current [OPTIONS]

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator current                     such as V1__initial_schema
      migrator current --json | jq .version
    ");
}

#[tokio::test]
async fn of_new() {
    assert_snapshot!(help_of("new").await, @r#"
    Create the files of the next migration: its script and its undo script.

    They are written to `--dir`, by default `./migrations`. Overwrites nothing. Only `--from-drift`
    needs a database.

    Usage: migrator new [OPTIONS] <NAME>

    Arguments:
      <NAME>
              Name, such as `add_due_date`; converted to lower case with underscores

    Options:
          --from-drift
              Fill them with the changes that were made to the database by hand.

              All migrations of the folder must be applied. The changes are found in a shadow database,
              as by `drift`; those that cannot be written become a TODO. Both scripts are then tested in
              a shadow database.

          --shadow-url <URL>
              Server for the shadow database: a connection string to any database there.

              By default the server of the live database, where the role must be allowed to create
              databases. Scripts that create roles, or reach beyond their database in another way, need
              another server.

              [env: MIGRATOR_SHADOW_URL]

          --shadow-local
              Create the shadow database on a throwaway server of an installed PostgreSQL.

              It is started for this, listens on loopback only, and is removed afterwards. Takes
              precedence over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator new add_due_date            create V2__add_due_date.sql and V2__add_due_date.down.sql
      migrator new "Add due date"          the same
      migrator new add_due_date --from-drift
                                           with the changes that were made by hand
    "#);
}

#[tokio::test]
async fn of_lint() {
    assert_snapshot!(help_of("lint").await, @r"
    Report dangerous statements in the migrations: locks, table rewrites, dropped columns.

    Needs no database. The rules are squawk's, without those on style; of undo scripts, only statements
    that block other sessions are reported. The contents of `do` blocks and functions are not checked.

    A comment above the statement accepts a finding, with a reason: `-- migrator: allow RULE because
    REASON`. For a file that must not change any more, so does a line of `lint.allow` beside it:
    `V2__name allow RULE because REASON`. Exits with 1 if there are findings.

    Usage: migrator lint [OPTIONS]

    Options:
          --from <VERSION>
              Check only the migrations after this version

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator lint --dir migrations       check the files in a folder
      migrator lint --from 3               check only the migrations after version 3
      migrator lint --json | jq '.findings[] | {rule, file, line}'
    ");
}

#[tokio::test]
async fn of_check() {
    assert_snapshot!(help_of("check").await, @r"
    Check everything at once: the history, undo scripts and pending migrations.

    Tests the undo scripts: in a shadow database, which is dropped afterwards, each migration is
    applied, undone and applied again, and the schemas are compared. Pending migrations are linted.
    Finds columns that must have a value, have no default, and are not written by the API. Writes
    nothing to the database itself.

    Usage: migrator check [OPTIONS]

    Options:
          --allow <FINDING>
              Ignore findings of this kind. Can be given more than once.

              With `undo`, no script is tested, and no shadow database is created.

              [possible values: edited, missing, out_of_order, incomplete, undo, no_undo_script, lint,
              pending, required_column]

          --shadow-url <URL>
              Server for the shadow database: a connection string to any database there.

              By default the server of the live database, where the role must be allowed to create
              databases. Scripts that create roles, or reach beyond their database in another way, need
              another server.

              [env: MIGRATOR_SHADOW_URL]

          --shadow-local
              Create the shadow database on a throwaway server of an installed PostgreSQL.

              It is started for this, listens on loopback only, and is removed afterwards. Takes
              precedence over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

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
      18  required_column: a column makes the API's inserts fail
    ");
}

#[tokio::test]
async fn of_grant() {
    assert_snapshot!(help_of("grant").await, @r"
    Grant the API's role exactly the privileges that the API needs.

    The role must exist and own nothing. It gets the privileges that the API's statements need,
    timeouts, and a setting of the planner; all its other privileges in this database are revoked, as
    are its memberships in other roles. What every role may create, temporary tables and, up to
    PostgreSQL 14, tables in `public`, is revoked from every role.

    All changes are made in one transaction. Running it twice changes nothing; run it again after
    migrations that add tables.

    Usage: migrator grant [OPTIONS] --role <NAME>

    Options:
          --role <NAME>
              Role with which the API connects, such as `taskie_api`

          --provision-users
              Allow it to insert users and update their email addresses: for an API with
              `provision_users`, which is its default

          --statement-timeout <SECONDS>
              Time that a statement of this role may take.

              Should be less than the API's `database_timeout_ms`, so that the server gives up first.
              Seconds, or a time with units: `4`, `500ms`, `1m 30s`.

              [default: 4s]

          --idle-in-transaction-timeout <SECONDS>
              Time that a transaction of this role may be idle

              [default: 10s]

          --random-page-cost <NUMBER>
              PostgreSQL's `random_page_cost` for this role.

              1.1 is right where the data is in memory or on flash. With 4, PostgreSQL's default, it may
              read and sort all tasks of a user for one page of them.

              [default: 1.1]

          --dry-run
              Print the script that would run, and change nothing

          --wait <SECONDS>
              Time to wait while another migrator is running.

              Seconds, or a time with units: `60`, `500ms`, `1m 30s`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator grant --role taskie_api     if an auth provider creates the users
      migrator grant --role taskie_api --provision-users
                                           if the API creates them, which is its default
      migrator grant --role taskie_api --dry-run > grant.sql
                                           print the script, to review or to run by hand
    ");
}

#[tokio::test]
async fn of_health() {
    assert_snapshot!(help_of("health").await, @r"
    Check the database and the connection to it: TLS, timing, load, migrations, role.

    Uses the URL as it is given, also a pooled one, makes one attempt, and writes nothing. For a
    database on Neon, checks both the pooled and the direct endpoint. Exits with 1 if the database
    cannot be used, or a limit is exceeded.

    Usage: migrator health [OPTIONS]

    Options:
          --role <NAME>
              Role with which the API connects, if it is not that of the connection string

          --pooled-url <URL>
              Pooled endpoint of the same database, to check as well.

              Not needed on Neon. Better set in the environment: other users of the machine can see
              arguments.

              [env: MIGRATOR_POOLED_URL]

          --max-connect-ms <N>
              Exit with 1 if connecting takes longer, in milliseconds.

              Applies to the median of the connections after the first, so that a cold start is not a
              failure.

          --max-ping-ms <N>
              Exit with 1 if the round trip of a statement takes longer, in milliseconds (p95)

          --max-connections-pct <N>
              Exit with 1 if more of the server's connections are in use, in percent

          --watch <SECONDS>
              Repeat the check at this interval, until Ctrl-C.

              Redraws the report on a terminal; elsewhere prints a line for each check, with `--json`
              its document (JSON Lines). The last check sets the exit code.

          --count <N>
              With `--watch`: number of checks

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator health                      print a report
      migrator health --role taskie_api    warn if that role can do more than the API should
      migrator health --max-connect-ms 250 --max-ping-ms 20 --max-connections-pct 80
                                           for scripts: exit with 1 if it is too slow or too full
      migrator health --watch 5            check every 5 seconds
      migrator health --json | jq .round_trip_ms.p95
    ");
}

#[tokio::test]
async fn of_drift() {
    assert_snapshot!(help_of("drift").await, @r"
    Compare the schema of the database with that of its migrations.

    Runs the applied migrations in a shadow database, which is dropped afterwards. Compares tables,
    columns, constraints, indexes, triggers, functions, views, types, sequences, policies and comments.
    Exits with 1 if any differs. Writes nothing to the database itself.

    Usage: migrator drift [OPTIONS]

    Options:
          --to <VERSION>
              Compare with the migrations up to this version, whatever the history says

          --ignore <NAME>
              Ignore an object (a table, a function, …) with its parts, or a schema as `SCHEMA.*`.

              A single part is `TABLE.PART`. Can be given more than once.

          --grants
              Also compare privileges, except those of owners

          --script
              Write the statements that take the database to the schema of its migrations.

              The opposite of `new --from-drift`. Without a history, it leads to the newest migration,
              or to `--to`. It is tried in a copy of the schema, and changes nothing itself. Exits with
              1 if something must be decided or changed by hand first: it is listed in the script and as
              a message.

      -o, --output <FILE>
              File for the script; `-` is standard output

              [default: -]

          --assume-timezone <ZONE>
              Time zone of times in columns without one that become `timestamptz`, such as `UTC`

          --drop-extra
              Drop what only the database has, with all that is in it

          --shadow-url <URL>
              Server for the shadow database: a connection string to any database there.

              By default the server of the live database, where the role must be allowed to create
              databases. Scripts that create roles, or reach beyond their database in another way, need
              another server.

              [env: MIGRATOR_SHADOW_URL]

          --shadow-local
              Create the shadow database on a throwaway server of an installed PostgreSQL.

              It is started for this, listens on loopback only, and is removed afterwards. Takes
              precedence over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator drift                       `+` only in the database, `-` only in the migrations
      migrator drift --ignore audit_log --ignore 'reports.*'
                                           ignore a table and a schema
      migrator drift --shadow-url postgresql://postgres@localhost/postgres
                                           create the shadow database on this machine
      migrator drift --script --assume-timezone UTC > adopt.sql
                                           write what takes the database to its migrations
      migrator drift --json | jq -r '.differences[].object'
    ");
}

#[tokio::test]
async fn of_dump() {
    assert_snapshot!(help_of("dump").await, @r"
    Write the schema of the migrations as one script, for review.

    Runs the migrations in a shadow database, which is dropped afterwards. The script creates the same
    schema in an empty database. Its order is the same on every version of PostgreSQL.

    Usage: migrator dump [OPTIONS]

    Options:
      -o, --output <FILE>
              File to write; `-` is standard output

              [default: schema.sql]

          --live
              Write the schema of the database instead of that of the migrations

          --check
              Write nothing; exit with 1 and show the difference if the file is not current

          --grants
              Also write privileges, except those of owners

          --shadow-url <URL>
              Server for the shadow database: a connection string to any database there.

              By default the server of the live database, where the role must be allowed to create
              databases. Scripts that create roles, or reach beyond their database in another way, need
              another server.

              [env: MIGRATOR_SHADOW_URL]

          --shadow-local
              Create the shadow database on a throwaway server of an installed PostgreSQL.

              It is started for this, listens on loopback only, and is removed afterwards. Takes
              precedence over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator dump                        write schema.sql
      migrator dump --check                for CI: exit with 1 if schema.sql is not current
      migrator dump --shadow-url postgresql://postgres@localhost/postgres
                                           use this server, and no other database
      migrator dump --live --output -      print the schema of the database
    ");
}

#[tokio::test]
async fn in_short() {
    assert_snapshot!(help(&["up", "-h"]).await, @r"
    Apply pending migrations, oldest first

    Usage: migrator up [OPTIONS]

    Options:
          --to <VERSION>                 Stop after this version
          --dry-run                      Print what would run, in order, and change nothing
          --lock-timeout <SECONDS>       Time that a statement waits for a table lock before giving up
                                         [env: MIGRATOR_LOCK_TIMEOUT] [default: 3]
          --statement-timeout <SECONDS>  Time that a statement may take [env:
                                         MIGRATOR_STATEMENT_TIMEOUT]
          --lock-retries <N>             Retries after a lock timeout or deadlock, with increasing
                                         pauses [env: MIGRATOR_LOCK_RETRIES] [default: 5]
          --wait <SECONDS>               Time to wait while another migrator is running [env:
                                         MIGRATOR_WAIT] [default: 60]
      -h, --help                         Print help (see more with '--help')
      -V, --version                      Print version

    Global options:
          --database-url <URL>         Connection string of the database:
                                       `postgresql://USER:PASSWORD@HOST/DATABASE` [env: DATABASE_URL]
          --database-ca <FILE>         PEM file of a private certificate authority to trust as well
                                       [env: DATABASE_CA]
          --connect-timeout <SECONDS>  Time to keep trying while the database does not answer [env:
                                       MIGRATOR_CONNECT_TIMEOUT] [default: 30]
          --dir <DIR>                  Folder of migrations to use instead of the built-in ones [env:
                                       MIGRATOR_DIR]
          --json                       Print one JSON document on standard output, also on failure
      -q, --quiet                      Print no progress, only results, warnings and errors
      -v, --verbose                    Also print which `.env` files were read
          --no-color                   Print without colours, as with `NO_COLOR` set

    Examples:
      migrator up                          apply all pending migrations
      migrator up --to 3                   stop after version 3
      migrator up --dry-run                show what would run, and run nothing
      migrator up --dir migrations         apply the files in a folder, not the built-in ones
    ");
}

#[tokio::test]
async fn of_repair() {
    assert_snapshot!(help_of("repair").await, @r"
    Clean up after a migration without a transaction that stopped in the middle.

    Drops the invalid index of a failed index build, finds out which statements are done, and lets `up`
    (or `down`) resume at the next one. Statements that are done must not have been edited; the others
    may be. Does nothing if no migration is incomplete.

    Usage: migrator repair [OPTIONS]

    Options:
          --restart
              Discard the progress; `up` or `down` then starts at the first statement

          --applied
              The rest was run by hand: record the migration as applied, or as undone

          --undo
              Run the undo script of an incomplete migration that is not applied.

              Drops what it created, data included. Asks for confirmation on a terminal; elsewhere it
              needs `--yes`.

          --dry-run
              Print what would be done, and change nothing

      -y, --yes
              Do not ask for confirmation

          --lock-timeout <SECONDS>
              Time that a statement waits for a table lock before giving up.

              PostgreSQL's `lock_timeout`, unless a script sets its own; 0 is no limit. A statement that
              waits blocks other sessions that need the table. Statements with `concurrently` do not
              block other sessions, and have no limit.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              Time that a statement may take.

              PostgreSQL's `statement_timeout`, unless a script sets its own; 0 is no limit. By default
              the server's setting for the role.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              Retries after a lock timeout or deadlock, with increasing pauses.

              The script is rolled back each time; one without a transaction retries only the statement.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              Time to wait while another migrator is running.

              Seconds, or a time with units: `60`, `500ms`, `1m 30s`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator repair --dry-run            show what is done and what would be dropped
      migrator repair                      then `migrator up` resumes
      migrator repair --applied            the rest was run by hand
      migrator repair --undo --yes         undo the incomplete migration
    ");
}

#[tokio::test]
async fn of_sql() {
    assert_snapshot!(help_of("sql").await, @r#"
    Write a script that applies or undoes migrations by hand, history included.

    Needs no database. Each migration is a transaction that first checks the history: on a database that
    is not at `--from`, it fails and changes nothing. A migration without a transaction is written
    statement by statement, with records of its progress.

    Usage: migrator sql [OPTIONS]

    Options:
          --from <VERSION>
              Current version of the database; by default 0, or with `--down` the newest

          --to <VERSION>
              Target version; by default the newest

          --down
              Undo all migrations after `--to`, newest first

          --lock-timeout <SECONDS>
              Time that a statement waits for a table lock before giving up.

              PostgreSQL's `lock_timeout`, unless a script sets its own; 0 is no limit. A statement that
              waits blocks other sessions that need the table. Statements with `concurrently` do not
              block other sessions, and have no limit.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              Time that a statement may take.

              PostgreSQL's `statement_timeout`, unless a script sets its own; 0 is no limit. By default
              the server's setting for the role.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator sql > up.sql                all migrations, for a database without a history
      migrator sql --from 1 > up.sql       the migrations after version 1
      migrator sql --down --to 2 > down.sql
                                           undo, from the newest back to version 2
      psql --no-psqlrc --set ON_ERROR_STOP=1 --file up.sql "$DATABASE_URL"
                                           run the script
    "#);
}

#[tokio::test]
async fn of_baseline() {
    assert_snapshot!(help_of("baseline").await, @r"
    Mark migrations as applied on an existing schema, without running them.

    For a database without a history, whose tables were created by another tool. First checks that the
    tables, columns, indexes, triggers, functions and types of the migrations exist, by comparing it
    with a shadow database. Asks for confirmation on a terminal; elsewhere it needs `--yes`.

    If there is a history, marks the migrations after it: for a database that was changed by hand, once
    `new --from-drift` has written these changes as a migration. The schema must then be exactly that of
    the migrations, which is checked in a shadow database.

    Usage: migrator baseline [OPTIONS] [VERSION]

    Arguments:
      [VERSION]
              Newest migration to mark as applied

    Options:
          --from-alembic
              Adopt the schema that Alembic created for the API's predecessor, which is version 1.

              `alembic_version` must have one row. It is not changed.

          --dry-run
              Check the schema, and change nothing

      -y, --yes
              Do not ask for confirmation

          --wait <SECONDS>
              Time to wait while another migrator is running.

              Seconds, or a time with units: `60`, `500ms`, `1m 30s`.

              [env: MIGRATOR_WAIT]
              [default: 60]

          --shadow-url <URL>
              Server for the shadow database: a connection string to any database there.

              By default the server of the live database, where the role must be allowed to create
              databases. Scripts that create roles, or reach beyond their database in another way, need
              another server.

              [env: MIGRATOR_SHADOW_URL]

          --shadow-local
              Create the shadow database on a throwaway server of an installed PostgreSQL.

              It is started for this, listens on loopback only, and is removed afterwards. Takes
              precedence over `--shadow-url`. `TASKIE_PG_BIN` names the folder of its programs.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator baseline 1 --dry-run        check if the schema is that of version 1
      migrator baseline 1                  mark it as such; `migrator up` applies the rest
      migrator baseline 4                  on a database at version 3, where V4 was done by hand
      migrator baseline --from-alembic     if Alembic created the tables of the API's predecessor
    ");
}

#[tokio::test]
async fn of_completions() {
    assert_snapshot!(help_of("completions").await, @r"
    Print the completion script for a shell

    Usage: migrator completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>
              The shell

              [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator completions bash > ~/.local/share/bash-completion/completions/migrator
      migrator completions zsh > ~/.zfunc/_migrator
      migrator completions fish > ~/.config/fish/completions/migrator.fish
    ");
}

#[tokio::test]
async fn of_man() {
    assert_snapshot!(help_of("man").await, @r"
    Print the manual page of this program, or of a command

    Usage: migrator man [OPTIONS] [COMMAND]

    Arguments:
      [COMMAND]
              A command, such as `up`

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator man | man -l -              read it
      migrator man up > ~/.local/share/man/man1/migrator-up.1
    ");
}

#[tokio::test]
async fn without_a_command_the_help_is_a_usage_error() {
    run_with(&[], &[]).await.exits(2).says("Usage: migrator [OPTIONS] <COMMAND>");
}

#[tokio::test]
async fn the_version_has_the_commit_and_its_date() {
    for option in ["--version", "-V"] {
        let output = run_with(&[], &[option]).await.exits(0);
        let version = env!("CARGO_PKG_VERSION").replace('.', r"\.");
        let expected =
            format!(r"^migrator {version} \([0-9a-f]{{12}} \d{{4}}-\d{{2}}-\d{{2}}\)\n$");
        let expected = regex::Regex::new(&expected).expect("a valid expression");
        assert!(expected.is_match(&output.stdout), "{}", output.stdout);
    }
}
