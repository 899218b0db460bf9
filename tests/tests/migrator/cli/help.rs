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
    together with its row in the history (refinery's table), unless it asks to run without, and one
    migrator works at a time.

    Usage: migrator [OPTIONS] <COMMAND>

    Commands:
      up           Apply pending migrations, oldest first
      down         Undo applied migrations, newest first: one, unless told otherwise
      status       Show every migration and its state: applied, pending, incomplete, diverged or missing
      repair       Clear up after a migration without a transaction that stopped in the middle
      sql          Write the script that applies or undoes migrations by hand, history included
      baseline     Adopt a schema that is there already: note its migrations as applied, and run none
      current      Print the newest applied migration, or `none`. Writes nothing
      new          Make the files of the next migration: the script and the one that undoes it
      lint         Look for what is dangerous in the migrations: locks, rewrites, lost columns
      check        Ask in one go whether everything is in order: history, undo scripts, pending
                   migrations
      grant        Give the API's role exactly what the API needs
      health       Look at the database and the way to it: TLS, times, connections, migrations, role
      drift        Compare the database with what its migrations make
      dump         Write the schema as one script, to review what the migrations come to
      completions  Print the script that completes this program's arguments in a shell
      man          Print the manual page of this program, or of one of its commands
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Global options:
          --database-url <URL>
              Where the database is: `postgresql://USER:PASSWORD@HOST/DATABASE`.

              Better set in the environment or in a `.env` file, in single quotes: other users of the
              machine can see arguments.

              [env: DATABASE_URL]

          --database-ca <FILE>
              A private certificate authority to trust as well: a PEM file

              [env: DATABASE_CA]

          --connect-timeout <SECONDS>
              For how long to try while the database does not answer.

              Seconds, or a number with a unit: `30`, `30s`, `500ms`, `2m`.

              [env: MIGRATOR_CONNECT_TIMEOUT]
              [default: 30]

          --dir <DIR>
              A folder of migrations to use instead of the built-in ones

              [env: MIGRATOR_DIR]

          --json
              Print one JSON document on standard output, also on failure

      -q, --quiet
              Print no progress, only results, warnings and errors

          --no-color
              Print without colours, as with `NO_COLOR` set.

              Where the output is not a terminal, there are none anyway.

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
      129, 130, 143  interrupted, and the shadow database removed
    ");
}

#[tokio::test]
async fn of_up() {
    assert_snapshot!(help_of("up").await, @r"
    Apply pending migrations, oldest first.

    Applying twice changes nothing. A migration that fails is rolled back; those before it stay. One
    whose first line says `-- migrator: no-transaction` runs statement by statement; where it stops in
    the middle, it is incomplete until `migrator repair`.

    Usage: migrator up [OPTIONS]

    Options:
          --to <VERSION>
              Stop after this version

          --dry-run
              Print what would run, in order, and change nothing.

              With the checksums that the history will have, whether each script runs in a transaction,
              for how long its statements wait for a lock on a table, and for how long they may take.

          --lock-timeout <SECONDS>
              For how long a statement waits for a lock on a table before it makes way for others.

              PostgreSQL's `lock_timeout`, where a script does not set its own; 0 is without end. Others
              who use the table wait behind a statement that waits. Statements with `concurrently` hold
              nobody up, and wait without end.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              For how long a statement may take.

              PostgreSQL's `statement_timeout`, where a script does not set its own; 0 is without end.
              What the server sets for the role, unless told otherwise.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              How often a script tries again that had to make way, with longer and longer pauses.

              It is rolled back each time; one without a transaction tries its statement again.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              For how long to wait while another migrator is at work.

              Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator up                          apply everything that is pending
      migrator up --to 3                   stop after version 3
      migrator up --dry-run                show what would run, and run nothing
      migrator up --dir migrations         apply the files in a folder, not the built-in ones
    ");
}

#[tokio::test]
async fn of_down() {
    assert_snapshot!(help_of("down").await, @r"
    Undo applied migrations, newest first: one, unless told otherwise.

    Destroys what the migrations made, data included. Asks on a terminal; elsewhere it needs `--yes`.

    Usage: migrator down [OPTIONS]

    Options:
          --to <VERSION>
              Undo everything after this version; 0 is everything

          --steps <N>
              Undo so many migrations

              [default: 1]

          --dry-run
              Print what would run, in order, and change nothing

      -y, --yes
              Do not ask

          --lock-timeout <SECONDS>
              For how long a statement waits for a lock on a table before it makes way for others.

              PostgreSQL's `lock_timeout`, where a script does not set its own; 0 is without end. Others
              who use the table wait behind a statement that waits. Statements with `concurrently` hold
              nobody up, and wait without end.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              For how long a statement may take.

              PostgreSQL's `statement_timeout`, where a script does not set its own; 0 is without end.
              What the server sets for the role, unless told otherwise.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              How often a script tries again that had to make way, with longer and longer pauses.

              It is rolled back each time; one without a transaction tries its statement again.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              For how long to wait while another migrator is at work.

              Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.

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
      migrator down --to 0 --yes           undo everything
    ");
}

#[tokio::test]
async fn of_status() {
    assert_snapshot!(help_of("status").await, @r#"
    Show every migration and its state: applied, pending, incomplete, diverged or missing.

    Writes nothing, also on a database that has never seen a migration.

    Usage: migrator status [OPTIONS]

    Options:
          --check
              Exit with 6 when a migration is incomplete, else with 4 when any is diverged or missing,
              else with 1 when any is pending

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
    Make the files of the next migration: the script and the one that undoes it.

    They go to `--dir`, or else to `./migrations`. Nothing is overwritten, and no database is needed,
    but for `--from-drift`.

    Usage: migrator new [OPTIONS] <NAME>

    Arguments:
      <NAME>
              What it does, such as `add_due_date`; becomes lower case with underscores

    Options:
          --from-drift
              Write into them what was done to the database by hand, and how to undo it.

              Every migration of the folder must be applied. The database is compared with what they
              make in a shadow database, as `drift` does; what cannot be written is left as a TODO. Both
              scripts are tried in a shadow database then.

          --shadow-url <URL>
              Make the shadow database on this server: a connection string to any database there.

              Without it, it is made beside the live one, which needs a role that may create databases.

              [env: MIGRATOR_SHADOW_URL]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator new add_due_date            makes V2__add_due_date.sql and V2__add_due_date.down.sql
      migrator new "Add due date"          the same
      migrator new add_due_date --from-drift
                                           makes them of what was done to the database by hand
    "#);
}

#[tokio::test]
async fn of_lint() {
    assert_snapshot!(help_of("lint").await, @r"
    Look for what is dangerous in the migrations: locks, rewrites, lost columns.

    Needs no database. The rules are squawk's, but for matters of style; scripts that undo are asked
    only whether they block others. What is inside `do` blocks and functions is not seen.

    What is meant to be so is accepted with a reason, in a comment above the statement: `-- migrator:
    allow RULE because REASON`. In a file that never changes any more it is accepted by a line of
    `lint.allow` beside it: `V2__name allow RULE because REASON`. Exits with 1 when anything is found.

    Usage: migrator lint [OPTIONS]

    Options:
          --from <VERSION>
              Look only at migrations after this version

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator lint --dir migrations       look at the files in a folder
      migrator lint --from 3               only at what comes after version 3
      migrator lint --json | jq '.findings[] | {rule, file, line}'
    ");
}

#[tokio::test]
async fn of_check() {
    assert_snapshot!(help_of("check").await, @r"
    Ask in one go whether everything is in order: history, undo scripts, pending migrations.

    That undoing undoes is proven: in a shadow database, which is removed again, each migration is
    applied, undone and applied again, and what is there is compared. What is pending is linted. Writes
    nothing to the database itself.

    Usage: migrator check [OPTIONS]

    Options:
          --allow <FINDING>
              What is no finding here. Can be given more than once.

              With `undo`, no script is tried, and no shadow database is made.

              [possible values: edited, missing, out_of_order, incomplete, undo, no_undo_script, lint,
              pending]

          --shadow-url <URL>
              Make the shadow database on this server: a connection string to any database there.

              Without it, it is made beside the live one, which needs a role that may create databases.

              [env: MIGRATOR_SHADOW_URL]

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

    Exit codes, of several findings the smallest:
      10  edited: a migration was changed after it was applied
      11  missing: an applied migration has no file
      12  out_of_order: a migration is pending although a later one is applied
      13  incomplete: a migration broke off in the middle
      14  undo: a script that undoes does not undo
      15  no_undo_script: a migration has no script that undoes it
      16  lint: something in a pending migration is dangerous
      17  pending: a migration is not applied yet
    ");
}

#[tokio::test]
async fn of_grant() {
    assert_snapshot!(help_of("grant").await, @r"
    Give the API's role exactly what the API needs.

    The role exists already and owns nothing. It gets the rights that the API's statements need, and
    time limits; whatever else it was granted in this database is revoked, as are memberships in other
    roles. What every role can make, which is temporary tables and, up to PostgreSQL 14, tables in
    `public`, is taken from every role.

    All of it happens in one transaction, or nothing does. Running it twice changes nothing; run it
    again after migrations that add tables.

    Usage: migrator grant [OPTIONS] --role <NAME>

    Options:
          --role <NAME>
              The role with which the API connects, such as `taskie_api`

          --provision-users
              Let it insert users: for an API with `provision_users`, which is on by default

          --statement-timeout <SECONDS>
              The longest that a statement of this role may take.

              A little less than the API waits (`database_timeout_ms`), so that the server gives up
              first. Seconds, or a number with a unit: `4`, `4s`, `500ms`, `2m`.

              [default: 4s]

          --idle-in-transaction-timeout <SECONDS>
              The longest that a transaction of this role may wait for its next statement

              [default: 10s]

          --dry-run
              Print the script that would run, and change nothing

          --wait <SECONDS>
              For how long to wait while another migrator is at work.

              Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator grant --role taskie_api     where an auth provider makes the users
      migrator grant --role taskie_api --provision-users
                                           where the API makes them, which is its default
      migrator grant --role taskie_api --dry-run > grant.sql
                                           the same as a script, to read or to run by hand
    ");
}

#[tokio::test]
async fn of_health() {
    assert_snapshot!(help_of("health").await, @r"
    Look at the database and the way to it: TLS, times, connections, migrations, role.

    Uses the URL as it is given, also when that is a pooled one, makes one attempt, and writes nothing.
    Of a database at Neon, the pooled and the direct endpoint are both tried. Exits with 1 when the
    database cannot be used, or a limit is exceeded.

    Usage: migrator health [OPTIONS]

    Options:
          --role <NAME>
              The role with which the API connects, if it is not the one of the connection string

          --pooled-url <URL>
              The pooled endpoint of the same database, to be looked at as well.

              Of a database at Neon it is known. Better set in the environment: other users of the
              machine can see arguments.

              [env: MIGRATOR_POOLED_URL]

          --max-connect-ms <N>
              Exit with 1 when connecting takes longer, in milliseconds.

              Of the connections after the first, the middle one is judged: a cold start is no failure.

          --max-ping-ms <N>
              Exit with 1 when a statement takes longer there and back, in milliseconds (p95)

          --max-connections-pct <N>
              Exit with 1 when more of the server's connections are taken, in per cent

          --watch <SECONDS>
              Look again every so many seconds, until Ctrl-C.

              Draws the report again on a terminal; elsewhere prints a line for each look, which with
              `--json` is its document (JSON Lines). The last look sets the exit code.

          --count <N>
              With `--watch`: stop after so many looks

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator health                      a report to read
      migrator health --role taskie_api    warns if that role can do more than the API should
      migrator health --max-connect-ms 250 --max-ping-ms 20 --max-connections-pct 80
                                           for scripts: exit 1 when it is too slow or too full
      migrator health --watch 5            look again every 5 seconds
      migrator health --json | jq .round_trip_ms.p95
    ");
}

#[tokio::test]
async fn of_drift() {
    assert_snapshot!(help_of("drift").await, @r"
    Compare the database with what its migrations make.

    The applied migrations are run in a shadow database, which is made for that and removed again.
    Tables, columns, constraints, indexes, triggers, functions, views, types, sequences, policies and
    comments are compared. Exits with 1 when any differs. Writes nothing to the database itself.

    Usage: migrator drift [OPTIONS]

    Options:
          --to <VERSION>
              Compare with what the migrations up to this version make, whatever the history says

          --ignore <NAME>
              Leave something out: a table, function, … with its parts, or a schema as `SCHEMA.*`.

              A part alone is `TABLE.PART`. Can be given more than once.

          --grants
              Compare also who may do what, but for the owners

          --shadow-url <URL>
              Make the shadow database on this server: a connection string to any database there.

              Without it, it is made beside the live one, which needs a role that may create databases.

              [env: MIGRATOR_SHADOW_URL]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator drift                       `+` only the database has it, `-` only the migrations make it
      migrator drift --ignore audit_log --ignore 'reports.*'
                                           leave out a table and a schema
      migrator drift --shadow-url postgresql://postgres@localhost/postgres
                                           make the shadow database on this machine
      migrator drift --json | jq -r '.differences[].object'
    ");
}

#[tokio::test]
async fn of_dump() {
    assert_snapshot!(help_of("dump").await, @r"
    Write the schema as one script, to review what the migrations come to.

    The migrations are run in a shadow database, which is made for that and removed again. The script
    makes the same in an empty database. Its order is always the same, also for other versions of
    PostgreSQL.

    Usage: migrator dump [OPTIONS]

    Options:
      -o, --output <FILE>
              Where to write it; `-` is standard output

              [default: schema.sql]

          --live
              Write what is in the database instead of what the migrations make

          --check
              Write nothing; exit with 1 and show the difference when the file is not current

          --grants
              Write also who may do what, but for the owners

          --shadow-url <URL>
              Make the shadow database on this server: a connection string to any database there.

              Without it, it is made beside the live one, which needs a role that may create databases.

              [env: MIGRATOR_SHADOW_URL]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator dump                        writes schema.sql
      migrator dump --check                for CI: exit 1 when schema.sql is not current
      migrator dump --shadow-url postgresql://postgres@localhost/postgres
                                           needs no other database than a server for the shadow
      migrator dump --live --output -      print what is in the database
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
          --lock-timeout <SECONDS>       For how long a statement waits for a lock on a table before it
                                         makes way for others [env: MIGRATOR_LOCK_TIMEOUT] [default: 3]
          --statement-timeout <SECONDS>  For how long a statement may take [env:
                                         MIGRATOR_STATEMENT_TIMEOUT]
          --lock-retries <N>             How often a script tries again that had to make way, with
                                         longer and longer pauses [env: MIGRATOR_LOCK_RETRIES] [default:
                                         5]
          --wait <SECONDS>               For how long to wait while another migrator is at work [env:
                                         MIGRATOR_WAIT] [default: 60]
      -h, --help                         Print help (see more with '--help')
      -V, --version                      Print version

    Global options:
          --database-url <URL>         Where the database is: `postgresql://USER:PASSWORD@HOST/DATABASE`
                                       [env: DATABASE_URL]
          --database-ca <FILE>         A private certificate authority to trust as well: a PEM file
                                       [env: DATABASE_CA]
          --connect-timeout <SECONDS>  For how long to try while the database does not answer [env:
                                       MIGRATOR_CONNECT_TIMEOUT] [default: 30]
          --dir <DIR>                  A folder of migrations to use instead of the built-in ones [env:
                                       MIGRATOR_DIR]
          --json                       Print one JSON document on standard output, also on failure
      -q, --quiet                      Print no progress, only results, warnings and errors
          --no-color                   Print without colours, as with `NO_COLOR` set

    Examples:
      migrator up                          apply everything that is pending
      migrator up --to 3                   stop after version 3
      migrator up --dry-run                show what would run, and run nothing
      migrator up --dir migrations         apply the files in a folder, not the built-in ones
    ");
}

#[tokio::test]
async fn of_repair() {
    assert_snapshot!(help_of("repair").await, @r"
    Clear up after a migration without a transaction that stopped in the middle.

    Drops the invalid index that a broken build has left, finds out which statements are done, and makes
    `up` (or `down`) go on with the next one. Statements that are done must not have been edited;
    editing the rest is what this is for. With nothing incomplete, it does nothing.

    Usage: migrator repair [OPTIONS]

    Options:
          --restart
              Forget what is done; `up` or `down` then begins at the first statement

          --applied
              It was finished by hand: note it in the history as applied, or as undone

          --undo
              Give up a migration that is not applied: run its undo script, and forget about it.

              Destroys what it made, data included. Asks on a terminal; elsewhere it needs `--yes`.

          --dry-run
              Print what would be done, and change nothing

      -y, --yes
              Do not ask

          --lock-timeout <SECONDS>
              For how long a statement waits for a lock on a table before it makes way for others.

              PostgreSQL's `lock_timeout`, where a script does not set its own; 0 is without end. Others
              who use the table wait behind a statement that waits. Statements with `concurrently` hold
              nobody up, and wait without end.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              For how long a statement may take.

              PostgreSQL's `statement_timeout`, where a script does not set its own; 0 is without end.
              What the server sets for the role, unless told otherwise.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

          --lock-retries <N>
              How often a script tries again that had to make way, with longer and longer pauses.

              It is rolled back each time; one without a transaction tries its statement again.

              [env: MIGRATOR_LOCK_RETRIES]
              [default: 5]

          --wait <SECONDS>
              For how long to wait while another migrator is at work.

              Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.

              [env: MIGRATOR_WAIT]
              [default: 60]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator repair --dry-run            show what is done and what would be dropped
      migrator repair                      then `migrator up` goes on
      migrator repair --applied            the rest was done by hand
      migrator repair --undo --yes         give the migration up
    ");
}

#[tokio::test]
async fn of_sql() {
    assert_snapshot!(help_of("sql").await, @r#"
    Write the script that applies or undoes migrations by hand, history included.

    Needs no database. Each migration is a transaction of its own, which first looks at the history: on
    a database that is not at `--from` it fails and changes nothing. One that runs without a transaction
    is written statement by statement, with notes of what is done.

    Usage: migrator sql [OPTIONS]

    Options:
          --from <VERSION>
              The version at which the database is: 0, or with `--down` the newest, unless told
              otherwise

          --to <VERSION>
              The version to go to: the newest, unless told otherwise

          --down
              Undo everything after `--to`, newest first

          --lock-timeout <SECONDS>
              For how long a statement waits for a lock on a table before it makes way for others.

              PostgreSQL's `lock_timeout`, where a script does not set its own; 0 is without end. Others
              who use the table wait behind a statement that waits. Statements with `concurrently` hold
              nobody up, and wait without end.

              [env: MIGRATOR_LOCK_TIMEOUT]
              [default: 3]

          --statement-timeout <SECONDS>
              For how long a statement may take.

              PostgreSQL's `statement_timeout`, where a script does not set its own; 0 is without end.
              What the server sets for the role, unless told otherwise.

              [env: MIGRATOR_STATEMENT_TIMEOUT]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator sql > up.sql                everything, for a database without a history
      migrator sql --from 1 > up.sql       what comes after version 1
      migrator sql --down --to 2 > down.sql
                                           back to version 2, from the newest
      psql --no-psqlrc --set ON_ERROR_STOP=1 --file up.sql "$DATABASE_URL"
                                           how to run it
    "#);
}

#[tokio::test]
async fn of_baseline() {
    assert_snapshot!(help_of("baseline").await, @r"
    Adopt a schema that is there already: note its migrations as applied, and run none.

    For a database without a history, whose tables were made by something else. Looks first whether the
    tables, columns, indexes, triggers and functions that the migrations make are there; what they make,
    it finds out by making it in a schema of its own, in a transaction that is rolled back. Asks on a
    terminal; elsewhere it needs `--yes`.

    Where there is a history, notes the migrations after it: for a database that was changed by hand,
    once `new --from-drift` has made a migration of that. The schema must then be exactly what the
    migrations leave, which is seen in a shadow database.

    Usage: migrator baseline [OPTIONS] [VERSION]

    Arguments:
      [VERSION]
              The newest migration to note as applied

    Options:
          --from-alembic
              Adopt what Alembic has made for the API's predecessor, which is the schema of version 1.

              `alembic_version` must have one row. It is left as it is.

          --dry-run
              Look at everything, and change nothing

      -y, --yes
              Do not ask

          --wait <SECONDS>
              For how long to wait while another migrator is at work.

              Seconds, or a number with a unit: `60`, `60s`, `500ms`, `2m`.

              [env: MIGRATOR_WAIT]
              [default: 60]

          --shadow-url <URL>
              Make the shadow database on this server: a connection string to any database there.

              Without it, it is made beside the live one, which needs a role that may create databases.

              [env: MIGRATOR_SHADOW_URL]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    <global options>

    Examples:
      migrator baseline 1 --dry-run        look whether the schema is that of version 1
      migrator baseline 1                  the history then says so; `migrator up` applies the rest
      migrator baseline 4                  on a database at version 3 where V4 was done by hand
      migrator baseline --from-alembic     where Alembic has made the tables of the API's predecessor
    ");
}

#[tokio::test]
async fn of_completions() {
    assert_snapshot!(help_of("completions").await, @r"
    Print the script that completes this program's arguments in a shell

    Usage: migrator completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>
              Which shell

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
    Print the manual page of this program, or of one of its commands

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
async fn the_version_is_the_packages() {
    let output = run_with(&[], &["--version"]).await.exits(0);
    assert_eq!(output.stdout, concat!("migrator ", env!("CARGO_PKG_VERSION"), "\n"));
}
