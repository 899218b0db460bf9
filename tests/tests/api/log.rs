//! The log: what a line carries of the request's trace and of the database.

use serde_json::json;
use tests::App;

use crate::path_of;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// `traceparent` headers, and the trace id that the log has of each (W3C Trace Context, section 3.2).
#[tokio::test]
async fn a_line_has_the_trace_id_of_a_valid_traceparent() {
    let app = App::start_with(|_| {}).await;
    let valid = Some(TRACE);
    for (label, headers, expected) in [
        ("sampled", &["00-T-00f067aa0ba902b7-01"][..], valid),
        ("not sampled", &["00-T-00f067aa0ba902b7-00"], valid),
        ("unknown flags", &["00-T-00f067aa0ba902b7-ff"], valid),
        ("spaces around it", &[" 00-T-00f067aa0ba902b7-01 "], valid),
        ("a later version", &["cc-T-00f067aa0ba902b7-01"], valid),
        ("a later version with more", &["cc-T-00f067aa0ba902b7-01-what-ever"], valid),
        ("no header", &[], None),
        ("empty", &[""], None),
        ("two headers", &["00-T-00f067aa0ba902b7-01", "00-T-00f067aa0ba902b7-01"], None),
        ("two in one header", &["00-T-00f067aa0ba902b7-01,00-T-00f067aa0ba902b7-01"], None),
        ("version ff", &["ff-T-00f067aa0ba902b7-01"], None),
        ("a short version", &["0-T-00f067aa0ba902b7-01"], None),
        ("a long version", &["000-T-00f067aa0ba902b7-01"], None),
        ("a version that is no number", &["0x-T-00f067aa0ba902b7-01"], None),
        ("more in version 00", &["00-T-00f067aa0ba902b7-01-what-ever"], None),
        ("a dash at the end of version 00", &["00-T-00f067aa0ba902b7-01-"], None),
        ("another character after the flags", &["cc-T-00f067aa0ba902b7-01.x"], None),
        ("a trace id of zeros", &["00-00000000000000000000000000000000-00f067aa0ba902b7-01"], None),
        ("a parent id of zeros", &["00-T-0000000000000000-01"], None),
        ("upper case", &["00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"], None),
        ("a short trace id", &["00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01"], None),
        ("a long trace id", &["00-T0-00f067aa0ba902b7-01"], None),
        ("a short parent id", &["00-T-00f067aa0ba902b-01"], None),
        ("a parent id that is no number", &["00-T-00f067aa0ba902bg-01"], None),
        ("no flags", &["00-T-00f067aa0ba902b7"], None),
        ("empty flags", &["00-T-00f067aa0ba902b7-"], None),
        ("short flags", &["00-T-00f067aa0ba902b7-1"], None),
        ("long flags", &["00-T-00f067aa0ba902b7-011"], None),
        ("upper case flags", &["00-T-00f067aa0ba902b7-0A"], None),
        ("another separator", &["00_T_00f067aa0ba902b7_01"], None),
        ("not ASCII", &["00-T-00f067aa0ba902b7-0é"], None),
    ] {
        let mut request = app.get("/nope").header("X-Request-Id", &label.replace(' ', "-"));
        for header in headers {
            request = request.header_bytes("traceparent", header.replace('T', TRACE).as_bytes());
        }
        request.await.problem(404);
        let line = app.log_line(&label.replace(' ', "-")).await;
        let found = line.get("trace_id").map(|id| id.as_str().expect("a text"));
        assert_eq!(found, expected, "{label}: {line}");
    }
}

#[tokio::test]
async fn a_line_about_a_database_without_failures_has_no_sqlstate_and_no_retries() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let response = alice.get("/tasks").await;
    response.good(200);
    let line = app.log_line(response.header("x-request-id")).await;
    for name in ["trace_id", "retries", "sqlstate", "cause"] {
        assert!(line.get(name).is_none(), "{name}: {line}");
    }
}

/// Also where the response is no server error. The code and the constraint are all that counts, so each is raised
/// by a trigger.
#[tokio::test]
async fn a_line_has_the_sqlstate_of_what_the_database_refused() {
    let app = App::start_with(|_| {}).await;
    let alice = app.user("alice").await;
    let task = alice.task("x").await;
    let client = app.client().await;
    for (code, constraint, status) in [
        ("23514", "tasks_title_length", 400),
        ("22021", "", 400),
        ("23503", "tasks_user_id_fkey", 403),
        ("42501", "", 500),
    ] {
        let raise = format!(
            "create or replace function fail() returns trigger language plpgsql as
             $$ begin
                  raise exception 'no' using errcode = '{code}', constraint = '{constraint}';
                end $$;
             create or replace trigger fail before update on tasks
               for each row execute function fail()"
        );
        client.batch_execute(&raise).await.expect("create a trigger");
        let response = alice.patch(&path_of(&task)).json(json!({ "title": "y" })).await;
        response.problem(status);
        let line = app.log_line(response.header("x-request-id")).await;
        assert_eq!(line["sqlstate"], code, "{line}");
        assert!(line.get("retries").is_none(), "{line}");
    }
}
