//! `.env` files and variables.

use tests::TestDatabase;

use crate::support::catalog::versions;
use crate::support::folder::Folder;
use crate::support::program::run_in;

#[tokio::test]
async fn a_dot_env_file_is_read() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[]);
    folder.write(".env", &format!("DATABASE_URL='{}'\n", database.url().to_connection_string()));
    run_in(folder.path().as_ref(), &[], &["up"]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_dot_env_file_of_the_project_is_read_and_no_other_above() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let folder = Folder::new(&[]);
    folder.write(".env", &format!("DATABASE_URL='{url}'\n"));
    let inner = format!("{}/project/inner", folder.path());
    std::fs::create_dir_all(&inner).expect("create a folder");
    run_in(inner.as_ref(), &[], &["up"]).await.exits(2).says("no database URL given");

    folder.write("project/spin.toml", "");
    run_in(inner.as_ref(), &[], &["up", "--verbose"])
        .await
        .exits(2)
        .says(&format!("No variables are read from `{inner}/.env`: there is no such file"))
        .says("/project/.env`: there is no such file");

    folder.write("project/.env", &format!("DATABASE_URL='{url}'\n"));
    run_in(inner.as_ref(), &[], &["up", "--verbose"])
        .await
        .exits(0)
        .says(&format!("Variables are read from `{}/project/.env`", folder.path()))
        .does_not_print(&url);
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn the_dot_env_file_of_the_working_folder_wins_over_that_of_the_project() {
    let database = TestDatabase::create().await;
    let url = database.url().to_connection_string();
    let folder = Folder::new(&[("spin.toml", "")]);
    folder.write(".env", "DATABASE_URL=postgresql://ann@127.0.0.1:1/shop\n");
    let inner = format!("{}/inner", folder.path());
    std::fs::create_dir(&inner).expect("create a folder");
    folder.write("inner/.env", &format!("DATABASE_URL='{url}'\n"));
    run_in(inner.as_ref(), &[], &["up"]).await.exits(0);
}

#[tokio::test]
async fn the_environment_wins_over_a_dot_env_file() {
    let database = TestDatabase::create().await;
    let folder = Folder::new(&[]);
    folder.write(".env", "DATABASE_URL=postgresql://ann@127.0.0.1:1/shop\n");
    let url = database.url().to_connection_string();
    run_in(folder.path().as_ref(), &[("DATABASE_URL", &url)], &["up"]).await.exits(0);
}

#[tokio::test]
async fn a_broken_dot_env_file_is_a_usage_error_that_does_not_repeat_it() {
    let folder = Folder::new(&[]);
    folder.write(".env", "DATABASE_URL='postgresql://ann:hunter2@db.example.com\n");
    run_in(folder.path().as_ref(), &[], &["up"])
        .await
        .exits(2)
        .says("cannot read the `.env` file")
        .does_not_print("hunter2");
}

#[tokio::test]
async fn the_folder_of_migrations_can_be_a_variable() {
    let database = TestDatabase::create().await;
    let folder = Folder::with_three_migrations();
    let url = database.url().to_connection_string();
    let variables = [("DATABASE_URL", url.as_str()), ("MIGRATOR_DIR", folder.path())];
    run_in(folder.path().as_ref(), &variables, &["up"]).await.exits(0);
    assert_eq!(versions(&database).await, [1, 2, 3]);
}
