//! `migrator drift`

mod every_kind;
pub(crate) mod object_kinds;
mod report;
mod script;
mod shadow;

use tests::TestDatabase;

use crate::support::folder::Folder;
use crate::support::program::run;

async fn execute(database: &TestDatabase, sql: &str) {
    database.client().await.batch_execute(sql).await.expect(sql);
}

/// A folder with one migration, and a database to which it is applied.
async fn applied(sql: &str) -> (TestDatabase, Folder) {
    let folder = Folder::new(&[("V1__all.sql", sql)]);
    let database = TestDatabase::create().await;
    run(&database, &["up", "--dir", folder.path()]).await.exits(0);
    (database, folder)
}
