//! User ids are opaque text: each one works or is rejected, and none is confused with another.
//!
//! Requests are sent as bytes where an HTTP library would normalize the path: `..` is a user id like
//! any other.

use std::collections::BTreeSet;

use futures::future::join_all;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Response, User};

use crate::path_of;

/// Ids that HTTP, the host or the database could interpret: a label and the id. Neighbours are similar.
fn odd_ids() -> Vec<(&'static str, String)> {
    let one_byte = "x".repeat(255);
    let almost = one_byte[1..].to_owned();
    let four_bytes = format!("{}abc", "🦀".repeat(63));
    assert_eq!((one_byte.len(), four_bytes.len()), (255, 255));
    let table = [
        ("plain", "alice"),
        ("first letter large", "Alice"),
        ("all large", "ALICE"),
        ("dotless i", "alıce"),
        ("Cyrillic a", "аlice"),
        ("fullwidth", "ａｌｉｃｅ"),
        ("space before", " alice"),
        ("space after", "alice "),
        ("space inside", "al ice"),
        ("only a space", " "),
        ("no-break space", "al\u{a0}ice"),
        ("slash", "al/ice"),
        ("slash at the end", "alice/"),
        ("only a slash", "/"),
        ("encoded slash", "al%2Fice"),
        ("slash encoded twice", "al%252Fice"),
        ("backslash", "al\\ice"),
        ("a route", "alice/tasks"),
        ("a route of a task", "alice/tasks/1"),
        ("dot", "."),
        ("two dots", ".."),
        ("three dots", "..."),
        ("encoded dots", "%2e%2e"),
        ("up a folder", "../alice"),
        ("plus", "al+ice"),
        ("encoded space", "al%20ice"),
        ("question mark", "al?ice"),
        ("query", "alice?status=complete"),
        ("hash", "al#ice"),
        ("ampersand", "al&ice"),
        ("semicolon", "alice;a=b"),
        ("colon and at", "al:ice@example.com"),
        ("pipe", "auth0|123"),
        ("quote", "al'ice"),
        ("quotes", "al\"ice\""),
        ("SQL", "'; drop table tasks; --"),
        ("parameter", "$1"),
        ("null cast", "null::text"),
        ("percent", "%"),
        ("percent and no digits", "%zz"),
        ("encoded percent", "%25"),
        ("underscore", "_"),
        ("star", "*"),
        ("braces", "{user_id}"),
        ("angle brackets", "<b>alice</b>"),
        ("the word tasks", "tasks"),
        ("the word health", "health"),
        ("the word api", "api"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("true", "true"),
        ("zero", "0"),
        ("negative", "-1"),
        ("line break", "\n"),
        ("carriage return", "\r"),
        ("tab", "\t"),
        ("a header", "alice\r\nX-Admin: 1"),
        ("escape", "\u{1b}[2J"),
        ("delete", "\u{7f}"),
        ("emoji", "🦀"),
        ("emoji joined", "👩\u{200d}💻"),
        ("emoji not joined", "👩💻"),
        ("composed", "\u{e9}"),
        ("decomposed", "e\u{301}"),
        ("compatible", "ﬁ"),
        ("what it is compatible with", "fi"),
        ("sharp s", "ß"),
        ("double s", "ss"),
        ("Hebrew", "שלום"),
        ("Arabic", "مرحبا"),
        ("right to left", "\u{202e}ecila"),
        ("zero-width space", "al\u{200b}ice"),
        ("zero-width joiner", "al\u{200d}ice"),
        ("byte order mark", "\u{feff}alice"),
        ("noncharacter", "\u{ffff}"),
        ("last character", "\u{10ffff}"),
        ("255 bytes of 1-byte characters", &one_byte),
        ("one byte less", &almost),
        ("255 bytes of 4-byte characters", &four_bytes),
    ];
    table.into_iter().map(|(label, id)| (label, id.to_owned())).collect()
}

/// Sends the path unchanged.
async fn send(user: &User, method: &str, path: &str, body: Option<Value>) -> Response {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        user.token,
        body.len()
    );
    user.app().send_raw(request).await.to_response()
}

/// A user with an odd id, and the one task of that user.
struct Person {
    label: &'static str,
    user: User,
    task: Value,
}

impl Person {
    /// Creates the task, whose description is the id.
    async fn new(app: &App, label: &'static str, id: &str) -> Self {
        let user = app.unregistered_user_with_id(id);
        let body = json!({ "title": label, "description": id });
        let created = send(&user, "POST", &user.path("/tasks"), Some(body)).await;
        assert_eq!(created.status, 201, "{label}: {created}");
        let task = created.good(201);
        assert_eq!(task["user_id"], id, "{label}");
        assert_eq!(task["description"], id, "{label}");

        let location = crate::resolved(&user.path("/tasks"), created.header("location"));
        let found = send(&user, "GET", &location, None).await;
        assert_eq!(found.status, 200, "{label}: {location}: {found}");
        assert_eq!(found.good(200), task, "{label}: {location}");
        Self { label, user, task }
    }

    /// Asserts that this user sees exactly the one task.
    async fn assert_sees_only_own_task(&self) {
        let Self { label, user, task } = self;
        let list = send(user, "GET", &user.path("/tasks"), None).await;
        assert_eq!(list.status, 200, "{label}: {list}");
        assert_eq!(list.good(200), json!([task]), "{label}");
        let found = send(user, "GET", &user.path(&path_of(task)), None).await;
        assert_eq!(found.good(200), *task, "{label}");
    }

    async fn change(&mut self) {
        let Self { label, user, task } = self;
        let path = user.path(&path_of(task));
        let title = format!("{label}, changed");
        let changed = send(user, "PUT", &path, Some(json!({ "title": title }))).await;
        assert_eq!(changed.status, 200, "{label}: {changed}");
        assert_eq!(changed.good(200)["title"], title, "{label}");
        let done = send(user, "PATCH", &format!("{path}/complete"), None).await;
        assert_eq!(done.status, 200, "{label}: {done}");
        *task = done.good(200);
        assert_eq!((&task["title"], &task["status"]), (&json!(title), &json!("complete")));
    }

    async fn delete(&self) {
        let Self { label, user, task } = self;
        let path = user.path(&path_of(task));
        let deleted = send(user, "DELETE", &path, None).await;
        assert_eq!(deleted.status, 204, "{label}: {deleted}");
        send(user, "GET", &path, None).await.problem(404);
    }
}

#[tokio::test]
async fn every_odd_id_has_its_own_tasks_beside_all_the_others() {
    let app = App::start_with(|_| {}).await;
    let client = app.client().await;
    let ids = odd_ids();
    let mut people = join_all(ids.iter().map(|(label, id)| Person::new(&app, label, id))).await;
    let differing: BTreeSet<&str> = people.iter().map(|person| person.user.id.as_str()).collect();
    assert_eq!(differing.len(), ids.len());
    join_all(people.iter().map(Person::assert_sees_only_own_task)).await;
    join_all(people.iter_mut().map(Person::change)).await;
    join_all(people.iter().map(Person::assert_sees_only_own_task)).await;

    while let Some(person) = people.pop() {
        person.delete().await;
        let rows = client.query("select description from tasks order by id", &[]).await;
        let left: BTreeSet<String> = rows.expect("query").iter().map(|row| row.get(0)).collect();
        let expected: BTreeSet<String> =
            people.iter().map(|person| person.user.id.clone()).collect();
        assert_eq!(left, expected, "after {}", person.label);
    }
}

#[tokio::test]
async fn an_id_is_the_same_however_its_path_is_written() {
    let app = App::start_with(|_| {}).await;
    let user = app.unregistered_user_with_id("Zoë/~1");
    let task = user.task("Buy milk").await;
    for (label, path) in [
        ("all encoded", "/api/%5A%6F%C3%AB%2F%7E%31/tasks"),
        ("in small digits", "/api/%5a%6f%c3%ab%2f%7e%31/tasks"),
        ("what must be", "/api/Zo%C3%AB%2F~1/tasks"),
        ("not even what must be", "/api/Zoë%2F~1/tasks"),
    ] {
        let response = send(&user, "GET", path, None).await;
        assert_eq!(response.status, 200, "{label}: {response}");
        assert_eq!(response.good(200), json!([task]), "{label}");
    }
}

#[tokio::test]
async fn an_id_that_cannot_be_is_refused() {
    let app = App::start().await;
    for (label, id) in [
        ("256 bytes of 1-byte characters", "x".repeat(256)),
        ("256 bytes of 4-byte characters", "🦀".repeat(64)),
        ("256 bytes, the last character over the limit", format!("{}é", "x".repeat(254))),
        ("only U+0000", "\0".to_owned()),
        ("U+0000 inside", "al\0ice".to_owned()),
        ("U+0000 at the end", "alice\0".to_owned()),
    ] {
        let user = app.unregistered_user_with_id(&id);
        let list = user.get("/tasks").await;
        assert_eq!(list.status, 401, "{label}: {list}");
        list.problem(401);
        let create = user.create(json!({ "title": "x" })).await;
        assert_eq!(create.status, 401, "{label}: {create}");
    }
}

#[tokio::test]
async fn an_id_is_compared_exactly() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    alice.task("hers").await;
    let id = alice.id.as_str();
    let encoded = percent_encode(id.as_bytes(), NON_ALPHANUMERIC).to_string();
    let encoded_twice = encoded.replace('%', "%25");
    for (label, path_user) in [
        ("empty", String::new()),
        ("upper case", id.to_uppercase()),
        ("prefix", id[..id.len() - 1].to_owned()),
        ("longer", format!("{id}0")),
        ("twice", format!("{id}{id}")),
        ("encoded twice", encoded_twice),
        ("pattern", "%25".to_owned()),
        ("pattern of one character", "_".repeat(id.len())),
        ("space after", format!("{id}%20")),
        ("space before", format!("%20{id}")),
        ("plus after", format!("{id}+")),
        ("line break after", format!("{id}%0A")),
        ("slash after", format!("{id}%2F")),
        ("dot after", format!("{id}.")),
        ("parameter after", format!("{id};a=b")),
        ("quote after", format!("{id}'")),
        ("or true", format!("x'%20or%20user_id='{id}")),
        ("a list", format!("{id},bob")),
        ("zero-width joiner after", format!("{id}%E2%80%8D")),
        ("percent after", format!("{id}%")),
        ("not UTF-8 after", format!("{id}%FF")),
        ("overlong encoding", format!("%C1%A1{}", &id[1..])),
        ("up and back", format!("..%2F{id}")),
    ] {
        let foreign = alice.request(Method::GET, &format!("/api/{path_user}/tasks")).await;
        assert_eq!(foreign.status, 404, "{label}: {foreign}");
        foreign.problem(404).says("Task not found");
    }
    // Raw bytes: a library would resolve the path.
    for (label, path) in [
        ("up and back", format!("/api/x/../{id}/tasks")),
        ("nowhere and back", format!("/api/./{id}/tasks")),
        ("empty before", format!("/api//{id}/tasks")),
        ("another path before", format!("/x/../api/{id}/tasks")),
    ] {
        let response = send(&alice, "GET", &path, None).await;
        assert_eq!(response.status, 404, "{label}: {response}");
        assert_eq!(response.json()["type"], "/problems/not-found", "{label}: {response}");
    }
}

#[tokio::test]
async fn a_path_with_u_0000_belongs_to_another_user() {
    let alice = App::start().await.user("alice").await;
    let id = alice.id.as_str();
    for (label, path_user) in [
        ("after", format!("{id}%00")),
        ("before", format!("%00{id}")),
        ("after, and more", format!("{id}%00.txt")),
        ("alone", "%00".to_owned()),
    ] {
        let foreign = alice.request(Method::GET, &format!("/api/{path_user}/tasks")).await;
        assert_eq!(foreign.status, 404, "{label}: {foreign}");
        foreign.problem(404).says("Task not found");
    }
}
