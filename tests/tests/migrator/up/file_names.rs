//! Files that look like migrations and are named otherwise.

use tests::TestDatabase;

use crate::support::catalog::tables;
use crate::support::folder::Folder;
use crate::support::program::run;

#[tokio::test]
async fn a_file_that_looks_like_a_migration_is_refused_by_name() {
    for (name, message) in [
        ("V2__x.SQL", "`V2__x.SQL`: is not read, because its name does not end in `.sql`"),
        ("V2__x.sql.txt", "`V2__x.sql.txt`: is not read"),
        ("V2__x.sql.bak", "`V2__x.sql.bak`: is not read"),
        ("V2__x.psql", "`V2__x.psql`: is not read"),
        ("V2__x", "`V2__x`: is not read"),
        ("V1__one.down.SQL", "`V1__one.down.SQL`: is not read"),
        ("seeds.SQL", "`seeds.SQL`: is not read"),
        (
            "v2__x.sql",
            "`v2__x.sql`: not named like `V1__what_it_does.sql`: rename it to `V2__x.sql`",
        ),
        ("V2_x.sql", "rename it to `V2__x.sql`"),
        ("V2__add it.sql", "rename it to `V2__add_it.sql`"),
        ("20240131123456_add_it.sql", "rename it to `V20240131123456__add_it.sql`"),
        ("V1__one.Down.sql", "rename it to `V1__one.down.sql`"),
    ] {
        let database = TestDatabase::create().await;
        let folder = Folder::new(&[("V1__one.sql", "create table one ();"), (name, "select 1;")]);
        for command in ["up", "status"] {
            let output = run(&database, &[command, "--dir", folder.path()]).await.exits(2);
            assert!(output.stderr.contains(message), "{name}: {}", output.stderr);
        }
        assert_eq!(tables(&database).await, [""; 0], "{name}");
    }
}

#[tokio::test]
async fn copies_and_notes_beside_a_migration_are_no_migrations() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[
        ("V1__one.sql", "create table one ();"),
        ("V1__one.sql~", "create"),
        ("V1__one.sql.orig", "create"),
        ("V1__one.md", "Why there is a table."),
        (".V1__one.sql.swp", "?"),
        (".gitkeep", ""),
        ("README.md", "Read me."),
    ]);
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    assert_eq!(tables(&database).await, ["one", "refinery_schema_history"]);
}
