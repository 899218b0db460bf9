//! A person may vouch for a statement, with a reason.

use super::{LiveServer, folder};

const SCRIPT: &str = "comment on role api is 'the service'; alter role api set work_mem = '3MB';";

#[tokio::test]
async fn a_comment_vouches_for_one_statement() {
    let server = LiveServer::start().await;
    let before = server.shared_catalogs().await;
    let why = "because it sets what is set";
    for (label, script, code) in [
        ("no comment", SCRIPT.to_owned(), 2),
        (
            "each statement",
            format!(
                "-- migrator: allow beyond-database {why}\ncomment on role api is 'the service';
                 alter role api set work_mem = '3MB'; -- migrator: allow beyond-database {why}"
            ),
            0,
        ),
        ("one of them", format!("-- migrator: allow beyond-database {why}\n{SCRIPT}"), 2),
        (
            "no reason",
            "-- migrator: allow beyond-database\ncomment on role api is 'the service';".to_owned(),
            2,
        ),
        (
            "another rule",
            format!("-- migrator: allow syntax {why}\ncomment on role api is 'the service';"),
            2,
        ),
        (
            "a dynamic statement",
            format!(
                "-- migrator: allow beyond-database {why}
                 do $$ begin execute convert_from('\\x616c74657220726f6c65206170692073657420776f726b5f6d656d203d2027334d4227', 'utf8'); end $$"
            ),
            0,
        ),
    ] {
        let folder = folder(&script);
        let arguments = ["check", "--allow", "pending", "--allow", "lint", "--dir", folder.path()];
        let output = server.run(&arguments).await;
        assert!(output.has_exited_with(code), "{label}: {output:#?}");
        assert_eq!(server.shared_catalogs().await, before, "{label}");
    }
}

#[tokio::test]
async fn a_line_vouches_for_a_file_that_never_changes() {
    let server = LiveServer::start().await;
    let folder = folder(SCRIPT);
    folder.write("lint.allow", "V2__two allow beyond-database because it sets what is set\n");
    let arguments = ["check", "--allow", "pending", "--dir", folder.path()];
    server.run(&arguments).await.exits(0);
    server.run(&["lint", "--dir", folder.path()]).await.exits(0);
}

#[tokio::test]
async fn the_linter_knows_such_comments() {
    let server = LiveServer::start().await;
    for (comment, code) in [
        ("-- migrator: allow beyond-database because it sets what is set", 0),
        ("-- migrator: allow beyond-database", 1),
    ] {
        let folder = folder(&format!("{comment}\ncomment on role api is 'the service';"));
        server.run(&["lint", "--dir", folder.path()]).await.exits(code);
    }
}

#[tokio::test]
async fn a_failure_beside_a_vouched_statement_claims_nothing_about_the_server() {
    let server = LiveServer::start().await;
    let folder = folder(&format!(
        "-- migrator: allow beyond-database because it sets what is set\n{}\nselect no_such_thing;",
        "comment on role api is 'the service';"
    ));
    let output = server.run(&["check", "--dir", folder.path()]).await.exits(5);
    output.says("this was in a shadow database, which is removed\n");
}
