//! Scripts of very many statements without a transaction: the work grows with their number, not with
//! its square.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tests::TestDatabase;
use tokio::process::Command;

use crate::support::folder::Folder;
use crate::support::program::{command, run};

/// Eight times as many statements may cost at most so many times as much: eight, with some noise. The
/// square would be 64 times.
const SIZES: (usize, usize) = (400, 3200);
const MOST: f64 = 20.0;

fn long_script(statements: usize) -> Folder {
    let mut script = "-- migrator: no-transaction\ncreate table t (a int);\n".to_owned();
    for number in 1..statements {
        writeln!(script, "insert into t values ({number});").expect("write to a text");
    }
    Folder::new(&[("V1__long.sql", &script)])
}

/// CPU time of the program with these arguments, as the shell measures it: other load on the machine
/// does not count.
async fn cpu_time(database: &TestDatabase, arguments: &[&str]) -> Duration {
    let program = command(arguments).await;
    let program = program.as_std();
    let output = Command::new("sh")
        .args(["-c", "\"$@\" >/dev/null || exit 1; times", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .env("DATABASE_URL", database.url().to_connection_string())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("run a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // `0m0.012s 0m0.003s`, of the shell and then of its children.
    let text = String::from_utf8(output.stdout).expect("text");
    let children = text.lines().last().expect("times of the children");
    let seconds = children.split_whitespace().map(|time| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').expect("a time");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        number(minutes) * 60.0 + number(seconds)
    });
    Duration::from_secs_f64(seconds.sum())
}

#[tokio::test]
async fn applying_a_long_script_takes_linear_work() {
    let mut times = [Duration::ZERO; 2];
    for (time, statements) in times.iter_mut().zip([SIZES.0, SIZES.1]) {
        let database = TestDatabase::create().await;
        let folder = long_script(statements);
        *time = cpu_time(&database, &["up", "--dir", folder.path()]).await;
        let row = database.client().await.query_one("select count(*) from t", &[]).await;
        let rows: i64 = row.expect("count").get(0);
        assert_eq!(usize::try_from(rows), Ok(statements - 1));
    }
    let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
    assert!(ratio < MOST, "{times:?}");
}

#[tokio::test]
async fn writing_a_long_offline_script_takes_linear_work() {
    let database = TestDatabase::create().await;
    let mut times = [Duration::ZERO; 2];
    for (time, statements) in times.iter_mut().zip([SIZES.0, SIZES.1]) {
        let folder = long_script(statements);
        *time = cpu_time(&database, &["sql", "--dir", folder.path()]).await;
    }
    let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
    assert!(ratio < MOST, "{times:?}");
}

/// Statements outside of a transaction have time limits of their own.
#[tokio::test]
async fn a_script_of_statements_outside_transactions_takes_linear_work() {
    let mut times = [Duration::ZERO; 2];
    for (time, statements) in times.iter_mut().zip([100, 800]) {
        let database = TestDatabase::create().await;
        let script = "reindex index concurrently t_pkey;\n".repeat(statements);
        let script =
            format!("-- migrator: no-transaction\ncreate table t (a int primary key);\n{script}");
        let folder = Folder::new(&[("V1__long.sql", &script)]);
        *time = cpu_time(&database, &["up", "--dir", folder.path()]).await;
    }
    let ratio = times[1].as_secs_f64() / times[0].as_secs_f64();
    assert!(ratio < MOST, "{times:?}");
}

#[tokio::test]
async fn a_long_script_shows_its_progress_where_there_is_no_terminal() {
    let database = TestDatabase::create().await;
    let folder = long_script(5000);
    let output = run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(0)
        .says("Applying V1__long ... \n  statement 500 of 5000\n")
        .says("  statement 4500 of 5000\ndone (");
    assert_eq!(output.stderr.matches("  statement ").count(), 9, "{}", output.stderr);
}

#[tokio::test]
async fn a_long_script_that_fails_goes_on_where_it_stopped() {
    let database = TestDatabase::create().await;
    let folder = long_script(300);
    let script = folder.read("V1__long.sql");
    folder.write("V1__long.sql", &script.replace("values (200)", "values (1 / 0)"));
    run(&database, &["up", "--dir", folder.path()])
        .await
        .exits(6)
        .says("statements 1 to 200 of 300 are done, 201 failed");
    folder.write("V1__long.sql", &script);
    run(&database, &["repair", "--dir", folder.path()])
        .await
        .exits(0)
        .says("can be resumed at statement 201 of 300");
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    let query = "select count(*), count(distinct a) from t";
    let row = database.client().await.query_one(query, &[]).await.expect("count");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (299, 299));
}
