//! `POST /api/{user_id}/tasks`

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};
use tests::App;

#[tokio::test]
async fn a_new_task_comes_back_whole() {
    let alice = App::start().await.user("alice").await;
    let task = alice.create(json!({ "title": "Buy milk", "description": "2 l" })).await.good(201);
    let id = task["id"].as_i64().expect("an id");
    assert!(id > 0);
    let expected = json!({
        "id": id,
        "user_id": alice.id,
        "title": "Buy milk",
        "description": "2 l",
        "status": "incomplete",
        "priority": "medium",
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    });
    assert_eq!(task, expected);
}

#[tokio::test]
async fn a_new_task_has_the_status_that_was_asked_for() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for status in ["complete", "incomplete"] {
        let task = alice.create(json!({ "title": "x", "status": status })).await.good(201);
        assert_eq!(task["status"], status);
        assert_eq!(task["updated_at"], task["created_at"], "{status}");
        assert_eq!(alice.get(&crate::path_of(&task)).await.good(200), task);
        assert_eq!(alice.get(&format!("/tasks?status={status}")).await.good(200), json!([task]));
    }
    let newcomer = app.unregistered_user("newcomer");
    let task = newcomer.create(json!({ "title": "x", "status": "complete" })).await.good(201);
    assert_eq!(task["status"], "complete");
    assert_eq!(newcomer.tasks().await, [task]);
}

/// As in an update.
#[tokio::test]
async fn a_new_task_of_another_status_is_refused() {
    let alice = App::start().await.user("alice").await;
    for status in ["done", "Complete", "complete ", ""] {
        let response = alice.create(json!({ "title": "x", "status": status })).await;
        assert_eq!(response.status, 400, "{status:?}: {response}");
        let message = "Invalid status value. Must be 'incomplete' or 'complete'";
        response.problem(400).kind("validation").field("status", message);
    }
    for status in [Value::Null, json!(true), json!(1), json!(["complete"])] {
        let response = alice.create(json!({ "title": "x", "status": status })).await;
        assert_eq!(response.status, 400, "{status}: {response}");
        response.problem(400).field("status", "status must be a string");
    }
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

/// Whoever writes it, the component or, in a list, PostgreSQL.
#[tokio::test]
async fn a_tasks_json_is_the_same_everywhere() {
    let app = App::start().await;
    for (label, text) in [
        (
            "control characters",
            (1..0x20_u8).map(char::from).collect::<String>() + "x\u{7f}\u{80}\u{9f}",
        ),
        ("quotes, backslashes, slashes", r#""it's" \ \" \n / </script>"#.to_owned()),
        ("separators", "x\u{2028}\u{2029}\u{feff}".to_owned()),
        ("beyond the basic plane", "🦀\u{10ffff}".to_owned()),
        ("placeholders", "%s %1$s {} {0} $1".to_owned()),
    ] {
        let alice = app.user("alice\"\\ 🦀").await;
        let created = alice.create(json!({ "title": text, "description": text })).await;
        let task = created.good(201);
        let list = format!("[{}]", created.text());
        assert_eq!(alice.get("/tasks").await.text(), list, "{label}");
        let path = crate::path_of(&task);
        assert_eq!(alice.get(&path).await.text(), created.text(), "{label}");
        let unchanged = alice.patch(&path).json(json!({ "title": text })).await;
        assert_eq!(unchanged.text(), created.text(), "{label}");
    }
}

#[tokio::test]
async fn a_new_task_without_a_description_has_null() {
    let alice = App::start().await.user("alice").await;
    for body in [json!({ "title": "x" }), json!({ "title": "x", "description": null })] {
        let task = alice.create(body.clone()).await.good(201);
        assert_eq!(task["description"], Value::Null, "{body}");
    }
}

#[tokio::test]
async fn location_leads_to_the_new_task() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    for list in ["/tasks", "/tasks/", "/%74asks?a=b/c"] {
        let response = alice.post(list).json(json!({ "title": "Buy milk" })).await;
        let task = response.good(201);
        let location = crate::resolved(&alice.path(list), response.header("location"));
        let found = app.get(&location).token(&alice.token).await;
        assert_eq!(found.good(200), task, "{list}: {location}");
    }
}

#[tokio::test]
async fn a_new_task_is_in_the_list_and_in_the_table() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let task = alice.task("Buy milk").await;
    assert_eq!(alice.tasks().await, [task]);
    let client = app.client().await;
    let rows = client
        .query("select title from tasks where user_id = $1", &[&alice.id])
        .await
        .expect("query");
    let titles: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(titles, ["Buy milk"]);
}

#[tokio::test]
async fn timestamps_are_now_in_utc_with_six_digits() {
    let alice = App::start().await.user("alice").await;
    let before = Utc::now();
    let task = alice.task("Buy milk").await;
    let after = Utc::now();
    for name in ["created_at", "updated_at"] {
        let text = task[name].as_str().expect("text");
        let time: DateTime<Utc> = text.parse().expect("RFC 3339");
        assert_eq!(text, time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(), "{name}");
        let slack = chrono::TimeDelta::seconds(5);
        assert!(before.trunc_subsecs(6) - slack <= time && time <= after + slack, "{name}: {text}");
    }
}

#[tokio::test]
async fn the_sessions_time_zone_and_date_style_do_not_show() {
    let app = App::start_with(|_| {}).await;
    let name = app.database().name();
    let settings = format!(
        "alter database {name} set timezone = 'Asia/Kolkata'; alter database {name} set datestyle = 'SQL, DMY'"
    );
    app.client().await.batch_execute(&settings).await.expect("set");
    let alice = app.user("alice").await;
    let insert = "insert into tasks (user_id, title, created_at) values ($1, 'Old', '2026-01-02 03:04:05.1+00')";
    app.client().await.execute(insert, &[&alice.id]).await.expect("insert");
    assert_eq!(alice.tasks().await[0]["created_at"], "2026-01-02T03:04:05.100000Z");
}

#[tokio::test]
async fn texts_are_stored_as_they_were_sent() {
    let alice = App::start().await.user("alice").await;
    for (label, text) in [
        ("surrounding spaces", "  Buy milk \t\n".to_owned()),
        ("quotes and backslashes", r#"it's "so" \ 'x' \n %s $1"#.to_owned()),
        ("markup", "<script>alert(1)</script> &amp;".to_owned()),
        ("SQL", "'); drop table tasks; --".to_owned()),
        ("control characters", "a\u{1}\u{7f}\u{85}b".to_owned()),
        ("combining characters, not composed", "e\u{301} \u{e9}".to_owned()),
        ("right to left", "\u{202e}שלום مرحبا".to_owned()),
        ("emoji of several scalar values", "👩‍👩‍👧‍👦🏳️‍🌈".to_owned()),
        ("beyond the basic plane", "𝒯𝒶𝓈𝓀 🦀".to_owned()),
        ("noncharacters", "\u{fffe}\u{ffff}\u{10ffff}".to_owned()),
        ("byte order mark", "\u{feff}x".to_owned()),
        ("invisible characters and one that is not", "\u{200b}\u{3164}\u{2800}.".to_owned()),
        ("a heart in colour", "\u{2764}\u{fe0f}".to_owned()),
        ("a flag of tags", "\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}".to_owned()),
        ("255 emoji", "🦀".repeat(255)),
    ] {
        let task = alice.create(json!({ "title": text, "description": text })).await.good(201);
        assert_eq!(task["title"], text, "{label}");
        assert_eq!(task["description"], text, "{label}");
        assert_eq!(alice.get(&crate::path_of(&task)).await.good(200), task, "{label}");
    }
}

#[tokio::test]
async fn lengths_are_counted_in_characters_up_to_the_limit() {
    let alice = App::start().await.user("alice").await;
    for (label, title, description) in [
        ("title of 1", "x".to_owned(), None),
        ("title of 255", "x".repeat(255), None),
        ("title of 255 characters of 2 bytes", "é".repeat(255), None),
        ("title of 255 characters of 4 bytes", "🦀".repeat(255), None),
        ("empty description", "x".to_owned(), Some(String::new())),
        ("description of 5000", "x".to_owned(), Some("x".repeat(5_000))),
        ("description of 5000 characters of 4 bytes", "x".to_owned(), Some("🦀".repeat(5_000))),
    ] {
        let response = alice.create(json!({ "title": title, "description": description })).await;
        assert_eq!(response.status, 201, "{label}");
        let task = response.json();
        assert_eq!(task["title"], title, "{label}");
        assert_eq!(task["description"], json!(description), "{label}");
    }
}

#[tokio::test]
async fn a_title_is_required() {
    let alice = App::start().await.user("alice").await;
    for (label, body) in [
        ("missing", json!({})),
        ("missing beside a description", json!({ "description": "x" })),
        ("null", json!({ "title": null })),
        ("empty", json!({ "title": "" })),
        ("spaces", json!({ "title": "   " })),
        ("tabs and line breaks", json!({ "title": "\t\r\n" })),
        ("other white space", json!({ "title": "\u{a0}\u{2003}\u{3000}" })),
        ("256 spaces", json!({ "title": " ".repeat(256) })),
        ("a zero-width space", json!({ "title": "\u{200b}" })),
        ("a Hangul filler", json!({ "title": "\u{3164}" })),
        ("blank Braille", json!({ "title": "\u{2800}" })),
        ("format characters", json!({ "title": "\u{ad}\u{200f}\u{202e}\u{2066}\u{feff}" })),
        ("what is ignored in display", json!({ "title": "\u{34f}\u{fe0f}\u{e0020}\u{e0100}" })),
        ("control characters", json!({ "title": "\u{1}\u{7f}" })),
        ("all of it", json!({ "title": " \u{200b}\u{3164}\u{2800}\t" })),
    ] {
        let response = alice.create(body).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).kind("validation").field("title", "Title is required");
    }
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_title_over_255_characters_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, title) in [
        ("256 letters", "x".repeat(256)),
        ("256 emoji", "🦀".repeat(256)),
        ("255 letters and a space", format!("{} ", "x".repeat(255))),
        ("255 letters and a combining character", format!("{}\u{301}", "x".repeat(255))),
    ] {
        let response = alice.create(json!({ "title": title })).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).field("title", "Title must be 255 characters or less");
    }
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_description_over_5000_characters_is_refused() {
    let alice = App::start().await.user("alice").await;
    for (label, description) in [("letters", "x".repeat(5_001)), ("emoji", "🦀".repeat(5_001))] {
        let response = alice.create(json!({ "title": "x", "description": description })).await;
        assert_eq!(response.status, 400, "{label}: {response}");
        response.problem(400).field("description", "Description must be 5000 characters or less");
    }
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_member_of_the_wrong_type_is_named_with_the_expected_type() {
    let alice = App::start().await.user("alice").await;
    for (label, member, value) in [
        ("number", "title", json!(7)),
        ("boolean", "title", json!(true)),
        ("array", "title", json!(["x"])),
        ("object", "title", json!({ "text": "x" })),
        ("number", "description", json!(1.5)),
        ("boolean", "description", json!(false)),
        ("array", "description", json!([])),
        ("object", "description", json!({})),
    ] {
        let mut body = json!({ "title": "x" });
        body[member] = value;
        let response = alice.create(body).await;
        assert_eq!(response.status, 400, "{member}, {label}: {response}");
        response.problem(400).field_mentions(member, &[member, "string"]);
    }
    assert_eq!(alice.tasks().await, [] as [Value; 0]);
}

#[tokio::test]
async fn all_bad_members_are_listed() {
    let alice = App::start().await.user("alice").await;
    let body =
        json!({ "title": "x".repeat(256), "description": "x".repeat(5_001), "status": "done" });
    alice.create(body).await.problem(400).fields(&[
        ("title", "Title must be 255 characters or less"),
        ("description", "Description must be 5000 characters or less"),
        ("status", "Invalid status value. Must be 'incomplete' or 'complete'"),
    ]);
}

#[tokio::test]
async fn members_that_are_not_the_clients_to_set_change_nothing() {
    let app = App::start().await;
    let (alice, bob) = (app.user("alice").await, app.user("bob").await);
    let body = json!({
        "title": "x",
        "id": 2_000_000_000,
        "user_id": bob.id,
        "created_at": "2001-01-01T00:00:00.000000Z",
        "updated_at": "2001-01-01T00:00:00.000000Z",
    });
    let task = alice.create(body).await.good(201);
    assert_eq!(task["user_id"], alice.id);
    assert_ne!(task["id"], 2_000_000_000);
    assert!(!task["created_at"].as_str().expect("text").starts_with("2001"));
    assert_eq!(bob.tasks().await, [] as [Value; 0]);
}
