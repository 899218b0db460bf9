//! Requests of many users share instances and connections: no data of one user reaches another.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use futures::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Difference, InstanceReuse, Request, Response, Token, User, until};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{large_instances, path_of};

const USERS: usize = 40;

/// HTTP/2 connections that the users share, each with fewer streams than a server allows.
const CONNECTIONS: usize = 10;

/// Minimum number of requests that are in the instances at the same time.
const TOGETHER: usize = 200;

/// Maximum time of the closed gate: less than the 30 s that a request waits for the database.
const GATE_LIMIT: Duration = Duration::from_secs(10);

/// A user with one task for each operation.
struct Person {
    user: User,
    read: Value,
    changed: Value,
    completed: Value,
    deleted: Value,
}

/// A request and its expected status.
struct Step {
    label: &'static str,
    request: Request,
    status: u16,
}

/// The response to a step, and the time at which it arrived.
struct Answer {
    label: &'static str,
    expected: u16,
    response: Response,
    received: Instant,
}

impl Person {
    async fn new(app: &App, name: &str) -> Self {
        let user = app.unregistered_user(name);
        let task = async |title: &str| {
            let title = format!("{} {title}", user.id);
            user.create(json!({ "title": title, "description": user.id })).await.good(201)
        };
        let (read, changed) = (task("read").await, task("changed").await);
        let (completed, deleted) = (task("completed").await, task("deleted").await);
        Self { user, read, changed, completed, deleted }
    }

    /// A request whose id names the user and the operation.
    fn step(&self, label: &'static str, request: Request, status: u16) -> Step {
        let id = format!("{}/{label}", self.user.id);
        Step { label, request: request.header("X-Request-Id", &id), status }
    }

    /// Requests that need the database.
    fn steps_with_the_database(&self, neighbour: &Self) -> Vec<Step> {
        let Self { user, read, changed, completed, deleted } = self;
        let new = |title: &str| {
            let title = format!("{} {title}", user.id);
            user.create(json!({ "title": title, "description": user.id }))
        };
        let update = json!({ "title": format!("{} updated", user.id) });
        let complete = format!("{}/complete", path_of(completed));
        vec![
            self.step("create", new("new"), 201),
            self.step("create-too", new("new too"), 201),
            self.step("list", user.get("/tasks"), 200),
            self.step("list-open", user.get("/tasks?status=incomplete"), 200),
            self.step("get", user.get(&path_of(read)), 200),
            self.step("get-changing", user.get(&path_of(changed)), 200),
            self.step("update", user.put(&path_of(changed)).json(update), 200),
            self.step("complete", user.patch(&complete), 200),
            self.step("delete", user.delete(&path_of(deleted)), 204),
            self.step("neighbours-task", user.get(&path_of(&neighbour.read)), 404),
            self.step("delete-neighbours-task", user.delete(&path_of(&neighbour.read)), 404),
        ]
    }

    /// Requests that do not: invalid tokens, paths of other users and invalid bodies.
    fn steps_without_the_database(&self, neighbour: &Self) -> Vec<Step> {
        let Self { user, read, .. } = self;
        let expired = Token::new(&user.id).claim_in("exp", -3_600).signed(user.app().jwt_secret());
        let forged = Token::new(&neighbour.user.id).signed("another secret, of more than 32 bytes");
        let his_path = neighbour.user.path(&path_of(&neighbour.read));
        let his_list = neighbour.user.path("/tasks");
        let planted = json!({ "title": user.id });
        let bad = json!({ "title": user.id.repeat(30) });
        vec![
            self.step("expired", user.with_token(expired).get(&path_of(read)), 401),
            self.step("forged", user.app().get(&his_list).token(&forged), 401),
            self.step("nobody", user.app().get(&user.path("/tasks")), 401),
            self.step("neighbours-path", user.request(Method::GET, &his_path), 404),
            self.step("planted", user.request(Method::POST, &his_list).json(planted), 404),
            self.step("invalid", user.create(bad), 400),
        ]
    }

    /// Asserts that the response belongs to this user and request, and contains nothing of the `others`.
    fn check(&self, answer: &Answer, others: &[Person]) {
        let Answer { label, expected, response, .. } = answer;
        let (label, id) = (format!("{}, {label}", self.user.id), &self.user.id);
        assert_eq!(response.status, *expected, "{label}: {response:#}");
        assert_eq!(response.header("x-request-id"), format!("{id}/{}", answer.label), "{label}");
        let whole = format!("{:?}\n{}", response.headers, response.text());
        for other in others.iter().filter(|other| other.user.id != *id) {
            assert!(!whole.contains(&other.user.id), "{label}: {response:#}");
        }
        match response.status {
            200 | 201 => self.assert_own_tasks(&label, &response.json()),
            204 => response.empty(204),
            // Has the request id in its body.
            status => drop(response.problem(status)),
        }
        if response.status == 201 {
            let path = path_of(&response.json());
            assert_eq!(format!("/{}", response.header("location")), path, "{label}");
        }
    }

    /// Asserts a task or a list of tasks, with this user's id in every text.
    fn assert_own_tasks(&self, label: &str, document: &Value) {
        let one = std::slice::from_ref(document);
        for task in document.as_array().map_or(one, Vec::as_slice) {
            let id = self.user.id.as_str();
            assert_eq!(task["user_id"], id, "{label}: {document}");
            assert_eq!(task["description"], id, "{label}: {document}");
            let title = task["title"].as_str().unwrap_or_default();
            assert!(title.starts_with(&format!("{id} ")), "{label}: {document}");
        }
    }

    /// Asserts the remaining tasks after all steps, by title and status.
    async fn assert_remaining_tasks(&self) {
        let mut left: Vec<(String, bool)> = Vec::new();
        for task in self.user.tasks().await {
            let title = task["title"].as_str().unwrap_or_default();
            let title = title.strip_prefix(&format!("{} ", self.user.id)).unwrap_or(title);
            left.push((title.to_owned(), task["status"] == "complete"));
        }
        left.sort();
        let expected = [
            ("completed", true),
            ("new", false),
            ("new too", false),
            ("read", false),
            ("updated", false),
        ];
        let expected = expected.map(|(title, done)| (title.to_owned(), done));
        assert_eq!(left, expected, "{}", self.user.id);
        assert_eq!(self.user.get(&path_of(&self.read)).await.good(200), self.read);
    }
}

async fn answer(step: Step) -> Answer {
    let Step { label, request, status } = step;
    let response = request.await;
    Answer { label, expected: status, response, received: Instant::now() }
}

/// The component's time for a request, from `Server-Timing`.
fn time_in_component(response: &Response) -> Duration {
    let timing = response.header("server-timing");
    let (_, millis) = timing.split_once("total;dur=").expect("a total");
    Duration::from_secs_f64(millis.parse::<f64>().expect("a number") / 1_000.0)
}

/// Sends the requests one by one, each as soon as the previous one waits for the locked table. A waiting
/// instance can take another request, so that the host starts no new one, and all share it.
async fn send_one_by_one(app: &App, steps: Vec<Step>) -> Vec<JoinHandle<Answer>> {
    const WAITING: &str = "select count(*) from pg_locks \
        where not granted and relation = 'tasks'::regclass \
        and database = (select oid from pg_database where datname = current_database())";
    let database = app.client().await;
    let mut inside = Vec::new();
    for step in steps {
        inside.push(tokio::spawn(answer(step)));
        until("a request waits for the table", async || {
            let row = database.query_one(WAITING, &[]).await.expect("count the waiting");
            usize::try_from(row.get::<_, i64>(0)).is_ok_and(|n| n == inside.len()).then_some(())
        })
        .await;
    }
    // Not every host reports it; there, the limits of the instances make the requests share them.
    let instances = app.instances().unwrap_or(1);
    let shared = inside.len() > instances || Difference::OneRequestPerInstance.applies();
    assert!(shared, "{} requests are in {instances} instances", inside.len());
    inside
}

/// The table of tasks is locked while all requests are sent, so that they gather in the instances; then
/// all continue at once. Every request is in flight together with every other.
async fn everything_at_once(app: &App) {
    let gateways: Vec<App> = (0..CONNECTIONS).map(|_| app.over_http2()).collect();
    // One after the other, which needs a single instance.
    let mut people = Vec::new();
    for i in 0..USERS {
        people.push(Person::new(&gateways[i % CONNECTIONS], &format!("user{i}")).await);
    }
    let neighbours = || people.iter().cycle().skip(1);
    let mut with: Vec<Vec<Step>> =
        people.iter().zip(neighbours()).map(|(p, n)| p.steps_with_the_database(n)).collect();
    let without: Vec<Vec<Step>> =
        people.iter().zip(neighbours()).map(|(p, n)| p.steps_without_the_database(n)).collect();

    let gate = app.client().await;
    gate.batch_execute("begin; lock table tasks in access exclusive mode")
        .await
        .expect("close the gate");
    let first = with.iter_mut().map(|steps| steps.remove(0)).collect();
    let first = send_one_by_one(app, first).await;
    let all = |steps: Vec<Vec<Step>>| {
        join_all(steps.into_iter().map(|steps| join_all(steps.into_iter().map(answer))))
    };
    let without = async {
        // They are sent last and answered first, while the others wait. If a busy machine delays
        // them, the gate still opens in time.
        let mut answers = pin!(all(without));
        let early = timeout(GATE_LIMIT, &mut answers).await;
        let opened = Instant::now();
        gate.batch_execute("commit").await.expect("open the gate");
        match early {
            Ok(answers) => (answers, opened),
            Err(_) => (answers.await, opened),
        }
    };
    let (with, (without, opened)) = join(all(with), without).await;
    let first: Vec<Vec<Answer>> =
        join_all(first).await.into_iter().map(|answer| vec![answer.expect("an answer")]).collect();

    for (person, answers) in
        [&first, &with, &without].into_iter().flat_map(|a| people.iter().zip(a))
    {
        for answer in answers {
            person.check(answer, &people);
        }
    }
    join_all(people.iter().map(Person::assert_remaining_tasks)).await;
    // All requests that were inside when the gate opened were there at the same time.
    let inside = with
        .iter()
        .flatten()
        .filter(|answer| answer.received < opened + time_in_component(&answer.response))
        .count();
    assert!(inside > TOGETHER, "only {inside} requests were in the instances together");
    for answer in without.iter().flatten() {
        assert!(answer.response.header("server-timing").starts_with("db;dur=0.000, "));
    }
}

/// One instance takes all requests, and is kept.
#[tokio::test]
async fn hundreds_of_requests_in_flight_together_get_their_own_data() {
    let app = App::start_with(|options| {
        options.reuse = large_instances();
    })
    .await;
    everything_at_once(&app).await;
    assert!(!app.log().contains("panicked"), "{}", app.log());
}

/// Creates five tasks and reads them back; every response must be this user's.
async fn use_the_service(user: User) {
    let mut tasks = Vec::new();
    for i in 0..5 {
        let id = format!("{}-{i}", user.id);
        let request =
            user.create(json!({ "title": id, "description": user.id })).header("X-Request-Id", &id);
        let response = request.await;
        assert_eq!(response.header("x-request-id"), id);
        let task = response.good(201);
        assert_eq!(task["title"], id);
        assert_eq!(task["user_id"], user.id);
        assert_eq!(user.get(&path_of(&task)).await.good(200), task);
        tasks.insert(0, task);
        assert_eq!(user.tasks().await, tasks);
    }
    user.get("/nope").await.problem(404);
    user.create(json!({ "title": user.id.repeat(30) })).await.problem(400);
}

async fn many_users(app: &App, count: usize) {
    let users =
        join_all((0..count).map(|i| async move { app.user(&format!("user{i}")).await })).await;
    stream::iter(users).map(use_the_service).buffer_unordered(count).collect::<Vec<()>>().await;
}

#[tokio::test]
async fn hundreds_of_interleaved_requests_get_their_own_data() {
    many_users(&App::start().await, 24).await;
}

#[tokio::test]
async fn every_way_of_reusing_instances_gives_the_same_answers() {
    for (label, max_reuse, max_concurrent, at_random) in [
        ("a new instance for each request", 1, 1, false),
        ("one request at a time", 128, 1, false),
        ("a few", 3, 2, false),
        ("each as it comes", 7, 3, true),
    ] {
        let app = App::start_with(|options| {
            options.reuse =
                InstanceReuse { max_reuse, max_concurrent, at_random, ..InstanceReuse::default() };
        })
        .await;
        many_users(&app, 4).await;
        assert!(!app.log().contains("panicked"), "{label}: {}", app.log());
    }
}
