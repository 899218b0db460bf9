//! `drift --script` copies the schema of a database, which may have parts that reach beyond it.

use super::{LiveServer, hidden};
use crate::support::folder::Folder;

#[tokio::test]
async fn copying_a_schema_changes_nothing_on_the_server() {
    let server = LiveServer::start().await;
    let folder = Folder::new(&[("V1__one.sql", "create table one (id bigint);")]);
    let dir = folder.path();
    let hidden = hidden::hidden("alter role api nologin");
    let changed = "copying the schema and running the script changed something outside the copy";
    // On a throwaway server the role is missing.
    for (body, message, elsewhere) in [
        ("select pg_replication_origin_create('mine');", "1 statement reaches beyond its", 0),
        ("alter role api nologin;", "1 statement reaches beyond its", 2),
        (&format!("{hidden};"), changed, 2),
    ] {
        server.reset().await;
        server.run(&["up", "--dir", dir]).await.exits(0);
        let body = body.replace("select ", "perform ");
        let by_hand = format!(
            "create function f() returns int language plpgsql as $$ begin {body} return 1; end $$;
             alter table one add extra text;"
        );
        let client = server.client("live").await;
        client.batch_execute(&by_hand).await.expect("change it by hand");
        // It runs as soon as it is created.
        let view = "create materialized view m as select f() as a";
        client.batch_execute(view).await.expect(view);
        let undo = "select pg_replication_origin_drop(roname) from pg_replication_origin; alter role api login";
        client.batch_execute(undo).await.expect(undo);

        let before = server.shared_catalogs().await;
        let arguments = ["drift", "--script", "--dir", dir];
        let output = server.run(&arguments).await;
        assert_eq!(server.shared_catalogs().await, before, "{body}\n{output:#?}");
        output.exits(2).says(message).says("hint: copy it to another server: `--shadow-local`");
        let arguments = [&arguments[..], &["--shadow-local"]].concat();
        server.run(&arguments).await.exits(elsewhere);
        assert_eq!(server.shared_catalogs().await, before, "{body}");
    }
}
