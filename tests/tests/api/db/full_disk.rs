//! A disk that is full. The system's `/dev/full` takes the place of the file that PostgreSQL has to extend: the
//! system itself answers that no space is left, on every machine and without rights to mount a small disk.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, TestServer};

use super::cause;
use crate::path_of;

/// A description that is stored outside of its row: random, so that no compression makes it small.
fn large_description() -> String {
    std::iter::repeat_with(|| format!("{:032x}", rand::random::<u128>())).take(156).collect()
}

/// The file in a cluster on which the disk is full.
struct FullDisk {
    file: PathBuf,
    /// The file itself, which is empty.
    kept: PathBuf,
}

impl FullDisk {
    /// PostgreSQL must not have written to the file yet.
    fn at(file: PathBuf) -> Self {
        let kept = file.with_extension("kept");
        assert_eq!(std::fs::metadata(&file).expect("a file").len(), 0, "{}", file.display());
        std::fs::rename(&file, &kept).expect("keep the file");
        symlink("/dev/full", &file).expect("link to the full device");
        Self { file, kept }
    }

    /// There is space again. Sessions that are open have the full device open.
    fn free(self) {
        std::fs::rename(self.kept, self.file).expect("put the file back");
    }
}

#[tokio::test]
async fn a_full_disk_ends_writes_with_503_and_no_reads() {
    let server = TestServer::with_settings(&[]).await;
    let app = App::start_on(server.migrated_database().await, |options| {
        options.directly();
    })
    .await;
    let alice = app.user("alice").await;
    let task = alice.task("small").await;
    let disk = FullDisk::at(file_of_large_values(&app, server).await);
    let large = json!({ "title": "large", "description": large_description() });

    for (method, path) in [
        (Method::POST, "/tasks".to_owned()),
        (Method::PUT, path_of(&task)),
        (Method::PATCH, path_of(&task)),
    ] {
        let request = alice.request(method, &alice.path(&path)).json(large.clone());
        let response = request.await;
        response.problem(503).kind("database-unavailable");
        assert_eq!(response.header("retry-after"), "2");
        let line = app.log_line(response.header("x-request-id")).await;
        assert_eq!(line["sqlstate"], "53100", "{line}");
        assert!(line.get("retries").is_none(), "{line}");
        let cause = cause(&app, &response).await;
        assert!(cause.contains("No space left on device"), "{cause}");
        assert!(!response.text().contains("space"), "{response}");
    }
    assert_eq!(alice.get(&path_of(&task)).await.good(200), task);
    assert_eq!(alice.tasks().await, std::slice::from_ref(&task));
    app.get("/health/db").await.good(200);
    let small = alice.task("fits").await;

    disk.free();
    let end_sessions = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'",
        app.database().name()
    );
    app.database().admin().await.batch_execute(&end_sessions).await.expect("end the sessions");
    let created: Value = alice.create(large).await.good(201);
    assert_eq!(alice.tasks().await, [created, small, task]);
}

/// The file with the large values of `tasks`.
async fn file_of_large_values(app: &App, server: &TestServer) -> PathBuf {
    let sql = "select pg_relation_filepath(reltoastrelid)
                 from pg_class
                where oid = 'tasks'::regclass";
    let row = app.client().await.query_one(sql, &[]).await.expect("ask");
    server.folder().await.join("data").join(row.get::<_, &str>(0))
}
