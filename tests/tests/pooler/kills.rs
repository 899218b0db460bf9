//! Nothing that was acknowledged is lost, and nothing is doubled, while PostgreSQL and the pooler are killed
//! again and again. `cargo test-kills` is the long form: 50 kills, 100,000 acknowledged writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    AUTHORITY, App, Pooler, PoolerSettings, Request, Response, TestServer, User, until_within,
};

const CLIENTS: usize = 24;

/// Time limit of a request: longer than all of its waits together, and far from a hang.
const ANSWERED: Duration = Duration::from_secs(40);

/// Time limit for the writes between two kills.
const PATIENCE: Duration = Duration::from_mins(2);

/// Tasks of a client that it changes; older ones keep their last state.
const ALIVE: usize = 20;

/// Kills, and acknowledged writes at least.
fn extent() -> (usize, usize) {
    if std::env::var_os("TASKIE_LONG").is_some() { (50, 100_000) } else { (6, 1_200) }
}

/// What the server acknowledges survives a crash of its processes.
const SAFE: &[(&str, &str)] = &[("synchronous_commit", "on")];

/// A title and whether the task is complete.
type State = (String, bool);

/// A task as a client knows it.
struct Tracked {
    id: i64,
    key: String,
    etag: String,
    acknowledged: State,
    /// Asked for since then, and neither acknowledged nor refused.
    uncertain: Vec<State>,
}

impl Tracked {
    fn is_now(&mut self, state: State, etag: &str) {
        self.acknowledged = state;
        if self.etag != etag {
            etag.clone_into(&mut self.etag);
            // Their precondition does not hold any more.
            self.uncertain.clear();
        }
    }
}

/// A user who creates and changes tasks.
struct Client {
    user: User,
    tasks: Vec<Tracked>,
    acknowledged: Arc<AtomicUsize>,
    number: usize,
}

impl Client {
    async fn work(mut self, enough: usize) -> Self {
        while self.acknowledged.load(Ordering::SeqCst) < enough {
            match rand::random_range(0..4) {
                0 | 1 if !self.tasks.is_empty() => self.change("").await,
                2 if !self.tasks.is_empty() => self.change("/complete").await,
                _ => self.create().await,
            }
        }
        self
    }

    fn acknowledge(&self) {
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    fn unique(&mut self, what: &str) -> String {
        self.number += 1;
        format!("{what} {} of {}", self.number, self.user.id)
    }

    /// Creates a task; the same request again until it is acknowledged.
    async fn create(&mut self) {
        let (title, key) = (self.unique("task"), self.unique("key").replace(' ', "-"));
        loop {
            let request = self.user.create(json!({ "title": title }));
            let response = answer(request.header("Idempotency-Key", &key)).await;
            if is_lost(&response) {
                continue;
            }
            let task = response.good(201);
            assert_eq!(task["title"], title);
            self.acknowledge();
            self.tasks.push(Tracked {
                id: task["id"].as_i64().expect("an id"),
                key,
                etag: response.header("etag").to_owned(),
                acknowledged: (title, false),
                uncertain: Vec::new(),
            });
            return;
        }
    }

    /// Changes one of the newest tasks, from the state that is known.
    async fn change(&mut self, rest: &str) {
        let title = self.unique("change");
        let newest = self.tasks.len().saturating_sub(ALIVE)..self.tasks.len();
        let index = rand::random_range(newest);
        let task = &self.tasks[index];
        let path = format!("/tasks/{}{rest}", task.id);
        let request = self.user.patch(&path).header("If-Match", &task.etag);
        let (request, wanted) = if rest.is_empty() {
            (request.json(json!({ "title": title })), (title, task.acknowledged.1))
        } else {
            (request, (task.acknowledged.0.clone(), true))
        };
        let response = answer(request).await;
        if is_lost(&response) {
            self.tasks[index].uncertain.push(wanted);
            self.look(index).await;
        } else if response.status == 412 {
            // An uncertain change happened after it was looked for.
            assert!(!self.tasks[index].uncertain.is_empty(), "{response}");
            self.look(index).await;
        } else {
            assert_eq!(state(&response.good(200)), wanted);
            self.acknowledge();
            self.tasks[index].is_now(wanted, response.header("etag"));
        }
    }

    /// Finds out about a task, which is in a state that was asked for.
    async fn look(&mut self, index: usize) {
        let task = &mut self.tasks[index];
        loop {
            let response = answer(self.user.get(&format!("/tasks/{}", task.id))).await;
            if is_lost(&response) {
                continue;
            }
            let found = state(&response.good(200));
            if found != task.acknowledged {
                assert!(task.uncertain.contains(&found), "{found:?} of {:?}", task.uncertain);
                task.is_now(found, response.header("etag"));
            }
            return;
        }
    }
}

fn state(task: &Value) -> State {
    (task["title"].as_str().expect("a title").to_owned(), task["status"] == "complete")
}

async fn answer(request: Request) -> Response {
    let answered = tokio::time::timeout(ANSWERED, request.into_future()).await;
    answered.expect("a request hangs")
}

/// True if nothing is known about the request. All other failures are faults.
fn is_lost(response: &Response) -> bool {
    if response.status == 503 {
        assert!(!response.header("retry-after").is_empty(), "{response}");
    }
    [503, 504].contains(&response.status)
}

#[tokio::test]
async fn lose_and_double_nothing() {
    let (kills, writes) = extent();
    let server = TestServer::with_settings(SAFE).await;
    server.offer_tls().await;
    let database = server.migrated_database().await;
    let mut pooler = Pooler::before(database.url(), PoolerSettings::LIKE_NEON).await;
    let url = pooler.through(&database.api_url());
    let app = App::start_on(database, |options| {
        options.database(&url).set("database_ca", AUTHORITY);
        options.set("database_timeout_ms", "5000");
    })
    .await;

    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let user = app.user(&format!("client{number}")).await;
        let acknowledged = Arc::clone(&acknowledged);
        let client = Client { user, tasks: Vec::new(), acknowledged, number: 0 };
        clients.push(tokio::spawn(client.work(writes)));
    }
    for kill in 0..kills {
        let goal = kill * writes / kills;
        until_within(PATIENCE, &format!("{goal} writes before kill {kill}"), async || {
            (acknowledged.load(Ordering::SeqCst) >= goal).then_some(())
        })
        .await;
        // One of three is the pooler, and one is both.
        if kill % 3 != 1 {
            server.crash().await;
        }
        if kill % 3 != 0 {
            pooler.kill().await;
            pooler.start_again().await;
        }
        if kill % 3 != 1 {
            server.start_again().await;
        }
    }
    let clients = join_all(clients).await.into_iter().map(|done| done.expect("a client's work"));

    let (mut expected, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for (user, task) in clients.flat_map(|client| {
        let user = client.user.id.clone();
        client.tasks.into_iter().map(move |task| (user.clone(), task))
    }) {
        keys.insert((user.clone(), task.key.clone()), task.id);
        expected.insert((user, task.id), task);
    }
    let client = app.client().await;
    let rows = client.query("select user_id, id, title, status = 'complete' from tasks", &[]);
    let rows = rows.await.expect("read the tasks");
    assert_eq!(rows.len(), expected.len(), "tasks");
    for row in rows {
        let place: (String, i64) = (row.get(0), row.get::<_, i32>(1).into());
        let found: State = (row.get(2), row.get(3));
        let task = expected.get(&place).unwrap_or_else(|| panic!("nobody created {place:?}"));
        let is_explained = found == task.acknowledged || task.uncertain.contains(&found);
        assert!(is_explained, "{found:?}, acknowledged {:?}", task.acknowledged);
    }
    let rows = client.query("select user_id, key, task_id from idempotency_keys", &[]);
    let found: BTreeMap<(String, String), i64> = rows
        .await
        .expect("read the keys")
        .iter()
        .map(|row| ((row.get(0), row.get(1)), row.get::<_, i32>(2).into()))
        .collect();
    assert!(found == keys, "the keys differ: {} and {}", found.len(), keys.len());
}
