//! The message about scripts that reach beyond their database.

use insta::{assert_json_snapshot, assert_snapshot};

use super::{LiveServer, folder};

#[tokio::test]
async fn the_refusal_names_each_statement_and_what_to_do() {
    let server = LiveServer::start().await;
    let script = "create table two (id bigint);\n  create role newcomer;\ndo $$ begin\n  execute format('drop role %I', 'x');\nend $$;";
    let folder = folder(script);
    let output = server.run(&["check", "--dir", folder.path()]).await.exits(2);
    assert_eq!(output.stdout, "");
    assert_snapshot!(output.stderr.replace(folder.path(), "DIR"), @r"
    error: the shadow database would be on the live server, and 2 statements reach beyond their database
       --> DIR/V2__two.sql:2:3
        |
      2 |   create role newcomer;
        |   ^ roles belong to the whole server
       --> DIR/V2__two.sql:4:3
        |
      4 |   execute format('drop role %I', 'x');
        |   ^ roles belong to the whole server
      nothing was created, and no script was run
    hint: try them on another server: `--shadow-local` starts a throwaway one, where PostgreSQL is installed; `--shadow-url URL` (`MIGRATOR_SHADOW_URL`) names one that is there for this. Or vouch for the statement, above it: `-- migrator: allow beyond-database because REASON`
    ");
    let output = server.run(&["check", "--json", "--dir", folder.path()]).await.exits(2);
    assert_json_snapshot!(output.json()["error"]["statements"], @r#"
    [
      {
        "column": 3,
        "file": "V2__two.sql",
        "line": 2,
        "reason": "roles belong to the whole server"
      },
      {
        "column": 3,
        "file": "V2__two.sql",
        "line": 4,
        "reason": "roles belong to the whole server"
      }
    ]
    "#);
    assert_eq!(output.json()["error"]["kind"], "beyond_database");
}

#[tokio::test]
async fn a_check_that_runs_no_script_is_not_refused() {
    let server = LiveServer::start().await;
    let folder = folder("create role newcomer;");
    let arguments = ["check", "--allow", "undo", "--dir", folder.path()];
    server.run(&arguments).await.exits(17).says("2 findings in 2 migrations");
}

#[tokio::test]
async fn only_what_would_run_is_looked_through() {
    let server = LiveServer::start().await;
    let folder = folder("create role newcomer;");
    server.run(&["up", "--to", "1", "--dir", folder.path()]).await.exits(0);
    // The other migration is pending, and `drift` runs no undo script.
    folder.write("V1__one.down.sql", "drop table one; drop role api;");
    server.run(&["drift", "--dir", folder.path()]).await.exits(0);
    server.run(&["drift", "--to", "2", "--dir", folder.path()]).await.exits(2);
}
