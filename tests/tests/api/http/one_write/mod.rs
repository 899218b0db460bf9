//! Each response is sent in one write, on a keep-alive connection.
//!
//! With two writes, the second part waits for the client's delayed acknowledgement of the first: 42 ms.
//! Only the real Spin shows the difference (`cargo test-spin`); `local` has no such delay, and its
//! responses never come in parts.

mod kinds;

use futures::future::join;
use tests::{App, InstanceReuse, KeepAlive, User, raw_request};

use self::kinds::{ALLOWED_ORIGIN, Kind};

/// Requests of each kind, one after the other.
const REQUESTS: usize = 20;

/// So many of them may come in parts: head and body of a response race, and beside other tests the head wins now and
/// then (3 of 20 at most in 70 kinds). What is wrong by design loses nearly always.
const SPLIT: usize = 5;

/// The connection may end after this one: the service does not read the rest of the body for long.
const TOO_LARGE: u16 = 413;

/// Counts the responses that come in parts, rather than measuring time: a busy machine may take longer
/// than 42 ms for a whole response, but does not split it. Returns the kinds with too many of them.
fn split(client: &mut KeepAlive, kinds: &[Kind]) -> Vec<String> {
    let mut split = Vec::new();
    for Kind { name, status, requests } in kinds {
        let mut count = 0;
        for request in requests {
            let exchange = client.exchange(request).unwrap_or_else(|err| panic!("{name}: {err}"));
            assert_eq!(exchange.status, *status, "{name}");
            let is_kept = client.is_connected() || *status == TOO_LARGE;
            assert!(is_kept, "{name}: the connection is not kept");
            count += usize::from(exchange.is_split);
        }
        if count > SPLIT {
            split.push(format!("{name}: {count} of {REQUESTS}"));
        }
    }
    split
}

async fn assert_whole(app: &App, kinds: Vec<Kind>) {
    let mut client = KeepAlive::new(app.address());
    let exchanges = tokio::task::spawn_blocking(move || split(&mut client, &kinds));
    let split = exchanges.await.expect("responses as expected");
    assert!(split.is_empty(), "responses in parts: {split:#?}");
}

async fn assert_every_kind_is_whole(reuse: InstanceReuse) {
    let app = App::start_with(|options| {
        options.set("cors_origins", ALLOWED_ORIGIN);
        options.reuse = reuse;
    })
    .await;
    assert_whole(&app, kinds::all(&app).await).await;
}

/// The log line of such a response is written before it.
async fn assert_failures_are_whole(reuse: InstanceReuse) {
    let misconfigured = App::start_with(|options| {
        options.unset("jwt_secret").reuse = reuse;
    })
    .await;
    let wrong_password = App::start_with(|options| {
        let mut url = options.variables["database_url"].clone();
        let (at, host) = (url.find("://").expect("a URL"), url.find('@').expect("a user"));
        url.replace_range(at + 3..host, "nobody:wrong");
        options.set("database_url", &url).reuse = reuse;
    })
    .await;
    let unreachable = App::start_with(|options| {
        options.database(&crate::closed_database()).reuse = reuse;
    })
    .await;
    let slow = App::start_with(|options| {
        options.set("database_timeout_ms", "100").reuse = reuse;
    })
    .await;
    let locked = slow.client().await;
    locked.batch_execute("begin; lock table tasks in access exclusive mode").await.expect("lock");

    let health = |path| raw_request("GET", path, &[], "");
    let pairs = [
        (
            &misconfigured,
            vec![
                Kind::of("misconfigured", 500, get(&misconfigured)),
                Kind::of("misconfigured, health", 503, health("/health/db")),
            ],
        ),
        (&wrong_password, vec![Kind::of("wrong password", 503, get(&wrong_password))]),
        (
            &unreachable,
            vec![
                Kind::of("unreachable", 503, get(&unreachable)),
                Kind::of("unreachable, health", 503, health("/health/db")),
                Kind::of("unreachable, pool", 503, health("/health/pool")),
            ],
        ),
        (&slow, vec![Kind::of("too slow", 504, get(&slow))]),
    ];
    for (app, kinds) in pairs {
        assert_whole(app, kinds).await;
    }
}

fn get(app: &App) -> Vec<u8> {
    let user: User = app.unregistered_user("alice");
    raw_request("GET", &user.path("/tasks"), &[&user.authorization()], "")
}

fn single_use() -> InstanceReuse {
    InstanceReuse { max_reuse: 1, ..InstanceReuse::default() }
}

#[tokio::test]
async fn the_answers_of_an_instance_that_is_reused_leave_in_one_write() {
    let reuse = InstanceReuse::default();
    join(assert_every_kind_is_whole(reuse), assert_failures_are_whole(reuse)).await;
}

#[tokio::test]
async fn the_first_answer_of_an_instance_leaves_in_one_write() {
    let reuse = single_use();
    join(assert_every_kind_is_whole(reuse), assert_failures_are_whole(reuse)).await;
}
