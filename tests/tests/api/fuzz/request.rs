//! The query, the body, and the headers that the API reads itself: never a 5xx, always a whole response, and never
//! anybody else's task.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Service, was_answered_by_the_host};

/// Headers that mean something to the API, and one that means something to its operators.
const HEADERS: [&str; 14] = [
    "Accept",
    "Accept-Encoding",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Content-Encoding",
    "Content-Type",
    "Expect",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Traceparent",
    "Tracestate",
    "X-Request-Id",
];

/// A value that some of them have, or nearly.
fn value() -> impl Strategy<Value = String> {
    let good = select(vec![
        "*",
        "*/*",
        "W/\"1-1\"",
        "\"1-1\", \"a,b\"",
        "\"",
        "null",
        "https://app.example",
        "application/json",
        "application/json; charset=utf-8",
        "application/problem+json;q=0.1, */*;q=0",
        "multipart/form-data; boundary=x",
        "gzip",
        "identity",
        "100-continue",
        "GET",
        "authorization, content-type",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-0000000000000000-00",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
    ]);
    prop_oneof![
        3 => good.prop_map(str::to_owned),
        1 => "[ -~]{0,30}",
        1 => "[\"\\\\,;=/*qW0-9. -]{0,20}",
        1 => "\\PC{0,12}",
        1 => "[a-z]{200,400}",
    ]
}

fn body() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        "\"(title|description|status|priority|id|x)\": ?\"\\PC{0,6}\"",
        "\"(title|status|priority)\": ?(null|true|1e9|\\[\\]|\\{\\}|\"complete\"|\"high\"|\"\\\\ud800\"|\"\\\\u0000\")",
    ];
    prop_oneof![
        4 => vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        1 => "[\\[\\]{}:,\"a0 \\\\-]{0,20}",
        1 => "\\PC{0,20}",
        1 => "[\\[]{60,200}",
    ]
}

#[test]
fn any_query_headers_and_body_have_a_whole_answer() {
    let query = prop_oneof![
        2 => vec(("(status|sort|limit|cursor|x)", "[A-Za-z0-9_%+.-]{0,20}"), 0..4).prop_map(|pairs| {
            let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("?{}", pairs.join("&"))
        }),
        1 => "(\\?[!-\"$-~]{0,20})?",
    ];
    let request = (
        select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "OPTIONS", "DELETE", "TRACE", "QUERY"]),
        select(vec!["/tasks", "/tasks/{id}", "/tasks/{id}/complete", "/tasks/{id}/status"]),
        query,
        vec((select(HEADERS.to_vec()), value()), 0..4),
        body(),
    );
    Service::start().check(request, |service, (method, rest, query, headers, body)| {
        // Bob's task: every change of it is a 404.
        let target = service.alice.path(&rest.replace("{id}", &service.his["id"].to_string()));
        let lines = headers.iter().map(|(name, value)| {
            format!("{name}: {}\r\n", value.replace(char::is_control, " "))
        });
        let headers = lines.collect::<Vec<_>>().concat();
        let has_type = headers.contains("Content-Type");
        let json = if has_type { "" } else { "Content-Type: application/json\r\n" };
        let bytes = format!(
            "{method} {target}{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{json}{headers}\
             {}\r\nContent-Length: {}\r\n\r\n{body}",
            service.alice.authorization(),
            body.len()
        );
        let response = service.runtime.block_on(service.app.send_raw(&bytes));
        // `Expect: 100-continue` has an answer before the answer.
        let text = response.text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&response.text);
        let response = tests::RawResponse { text: text.to_owned() };
        let status = response.status().unwrap_or_else(|| panic!("no answer to {bytes}"));
        assert!(status < 500, "{bytes}\n{}", response.text);
        let length = response.header("content-length").and_then(|length| length.parse().ok());
        let is_empty = method == "HEAD" || matches!(status, 204 | 304);
        assert!(is_empty || length == Some(response.body().len()), "{bytes}\n{}", response.text);
        if status >= 400 && !is_empty && !was_answered_by_the_host(&response) {
            // As `application/json` or `application/problem+json`: `Accept` chooses.
            let problem: serde_json::Value =
                serde_json::from_str(response.body()).expect("a problem document");
            assert_eq!(problem["status"], status, "{bytes}\n{}", response.text);
            let media_type = response.header("content-type").unwrap_or_default();
            assert!(media_type.ends_with("json"), "{bytes}\n{}", response.text);
        }
        let document = serde_json::from_str::<serde_json::Value>(response.body()).unwrap_or_default();
        let one = std::slice::from_ref(&document);
        for task in document.as_array().map_or(one, Vec::as_slice) {
            assert_ne!(task["user_id"], service.bob.id.as_str(), "{bytes}");
        }
    });
}
