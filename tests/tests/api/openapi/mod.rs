//! The OpenAPI document against the service: it documents everything there is, and nothing else.

mod answers;
mod document;
mod page;

use std::collections::BTreeSet;

use reqwest::{Method, Url};
use serde_json::{Value, json};
use tests::{App, workspace};

use self::document::{Document, Operation, members};

#[tokio::test]
async fn the_document_is_the_one_in_the_repository() {
    let served = Document::of(&App::start().await).await;
    let kept = std::fs::read_to_string(workspace().join("openapi.json")).expect("openapi.json");
    assert_eq!(served.0, serde_json::from_str::<Value>(&kept).expect("JSON"));
    assert_eq!(served.0["openapi"], "3.1.0");
}

/// Also behind a proxy that adds a prefix to every path.
#[tokio::test]
async fn the_server_is_where_the_document_is() {
    let document = Document::of(&App::start().await).await;
    let server = document.0["servers"][0]["url"].as_str().expect("a server");
    for (document, expected) in [
        ("http://127.0.0.1:3000/openapi.json", "http://127.0.0.1:3000/"),
        ("https://example.org/todo/openapi.json", "https://example.org/todo/"),
    ] {
        let document = Url::parse(document).expect("a URL");
        assert_eq!(document.join(server).expect("a URL").as_str(), expected, "{server}");
    }
}

/// The service itself lists the methods of a path, in the response to an unknown one.
#[tokio::test]
async fn every_method_of_every_path_is_documented() {
    let app = App::start().await;
    let alice = app.user("alice").await;
    let document = Document::of(&app).await;
    let mut found: BTreeSet<Operation> = BTreeSet::new();
    for template in members(&document.0["paths"]).keys() {
        let path = template.replace("{user_id}", &alice.id).replace("{id}", "1");
        let unknown = Method::from_bytes(b"PROPFIND").expect("a method");
        let response = alice.request(unknown, &path).await;
        assert_eq!(response.status, 405, "{response}");
        let allowed = response.header("allow").split(',').map(str::trim);
        // The document leaves out `HEAD`, which every `GET` has, and `OPTIONS`, which every path has.
        let allowed = allowed.filter(|method| !["HEAD", "OPTIONS"].contains(method));
        found.extend(allowed.map(|method| (template.clone(), method.to_owned())));
    }
    assert_eq!(found, document.operations());
}

/// Fails for a route that is missing in the document, and for one that the service no longer has.
#[tokio::test]
async fn the_routes_of_the_contract_are_documented() {
    let document = Document::of(&App::start().await).await;
    let contract = [
        ("/", "GET"),
        ("/api/{user_id}/tasks", "GET"),
        ("/api/{user_id}/tasks", "POST"),
        ("/api/{user_id}/tasks/{id}", "DELETE"),
        ("/api/{user_id}/tasks/{id}", "GET"),
        ("/api/{user_id}/tasks/{id}", "PATCH"),
        ("/api/{user_id}/tasks/{id}", "PUT"),
        ("/api/{user_id}/tasks/{id}/complete", "PATCH"),
        ("/api/{user_id}/tasks/{id}/incomplete", "PATCH"),
        ("/api/{user_id}/tasks/{id}/status", "PATCH"),
        ("/docs", "GET"),
        ("/health", "GET"),
        ("/health/db", "GET"),
        ("/health/pool", "GET"),
        ("/openapi.json", "GET"),
    ];
    let contract = contract.map(|(path, method)| (path.to_owned(), method.to_owned()));
    assert_eq!(document.operations(), contract.into());
}

#[tokio::test]
async fn every_answer_is_documented_and_every_documented_answer_is_given() {
    let document = Document::of(&App::start().await).await;
    let mut given = BTreeSet::new();
    for (path, method, response) in answers::all().await {
        document.assert_describes(path, &method, &response);
        let operation = (path.to_owned(), method.to_string());
        given.insert((operation, response.status.to_string()));
    }
    let documented = document.answers();
    let never: Vec<_> = documented.difference(&given).collect();
    assert!(never.is_empty(), "documented and not given: {never:?}");
}

#[tokio::test]
async fn responses_outside_of_operations_are_documented_too() {
    let app = App::start().await;
    let document = Document::of(&app).await;
    let responses = &document.0["components"]["responses"];
    let examples = |response: &Value, media_type: &str| -> Value {
        response["content"][media_type]["examples"].clone()
    };
    for (name, response) in [
        ("RouteNotFound", app.get("/nope").await),
        ("MethodNotAllowed", app.request(Method::POST, "/health").await),
    ] {
        let examples = ["application/json", "application/problem+json"]
            .map(|media_type| examples(&responses[name], media_type));
        assert_eq!(examples[0], examples[1], "{name}: one body for both types");
        let example = members(&examples[0])
            .values()
            .next()
            .unwrap_or_else(|| panic!("{name} has an example"));
        let kind = example["value"]["type"].as_str().expect("a type").to_owned();
        response.problem(response.status).kind(kind.trim_start_matches("/problems/"));
    }
}

#[tokio::test]
async fn every_example_is_as_its_schema_says() {
    let document = Document::of(&App::start().await).await;
    let mut examples = 0;
    for content in contents(&document.0) {
        let schema = &content["schema"];
        let named = members(&content["examples"]).values().map(|example| &example["value"]);
        for example in named.chain(content.get("example")) {
            document.assert_valid(schema, example, "example");
            examples += 1;
        }
    }
    let schemas = members(&document.0["components"]["schemas"]).values();
    for (schema, example) in schemas.filter_map(|schema| Some((schema, schema.get("example")?))) {
        document.assert_valid(schema, example, "example");
        examples += 1;
    }
    assert!(examples > 30, "{examples}");
}

/// The schemas have the service's limits: both accept and reject the same bodies.
#[tokio::test]
async fn the_schemas_accept_what_the_service_accepts() {
    let alice = App::start().await.user("alice").await;
    let document = Document::of(alice.app()).await;
    let path = crate::path_of(&alice.task("x").await);
    let schemas = &document.0["components"]["schemas"];
    for (label, body) in [
        ("good", json!({ "title": "x" })),
        ("unknown member", json!({ "title": "x", "other": [1] })),
        ("another status", json!({ "title": "x", "status": "complete" })),
        ("null description", json!({ "title": "x", "description": null })),
        ("only a description", json!({ "description": "x" })),
        ("only a status", json!({ "status": "complete" })),
        ("nothing", json!({})),
        ("only unknown members", json!({ "other": 1 })),
        ("empty title", json!({ "title": "" })),
        ("white space", json!({ "title": " \t\u{3000}\u{85}\u{2009}" })),
        ("zero-width characters", json!({ "title": "\u{feff}\u{200b}\u{2060}\u{ad}" })),
        ("fillers", json!({ "title": "\u{3164}\u{ffa0}\u{115f}\u{2800}" })),
        ("selectors", json!({ "title": "\u{180b}\u{fe0f}\u{34f}\u{fff9}" })),
        ("a letter among them", json!({ "title": "\u{200b}\u{3164}x" })),
        ("control character", json!({ "title": "\u{1c}" })),
        ("longest title", json!({ "title": "🦀".repeat(255) })),
        ("title too long", json!({ "title": "x".repeat(256) })),
        ("U+0000 in the title", json!({ "title": "a\u{0}" })),
        ("lines in the title", json!({ "title": "a\nb" })),
        ("null title", json!({ "title": null })),
        ("title of another type", json!({ "title": 1 })),
        ("longest description", json!({ "title": "x", "description": "é".repeat(5_000) })),
        ("description too long", json!({ "title": "x", "description": "x".repeat(5_001) })),
        ("U+0000 in the description", json!({ "title": "x", "description": "\u{0}" })),
        ("unknown status", json!({ "title": "x", "status": "done" })),
        ("null status", json!({ "title": "x", "status": null })),
        ("a priority", json!({ "title": "x", "priority": "low" })),
        ("only a priority", json!({ "priority": "high" })),
        ("a priority in upper case", json!({ "title": "x", "priority": "MEDIUM" })),
        (
            "white space around it",
            json!({ "title": "x", "priority": "\t\r\n\u{85}\u{3000}High \u{2009}" }),
        ),
        ("other characters around it", json!({ "title": "x", "priority": "high\u{200b}" })),
        ("a separator before it", json!({ "title": "x", "priority": "\u{1c}high" })),
        ("another priority", json!({ "title": "x", "priority": "urgent" })),
        ("an empty priority", json!({ "title": "x", "priority": "" })),
        ("null priority", json!({ "title": "x", "priority": null })),
        ("priority of another type", json!({ "title": "x", "priority": 1 })),
        ("an array", json!([])),
        ("a text", json!("title")),
    ] {
        let update = alice.patch(&path).json(body.clone()).await;
        let valid = document.errors(&schemas["TaskUpdate"], &body);
        assert_eq!(update.status == 200, valid.is_empty(), "update: {label}: {valid:?} {update}");
        let create = alice.create(body.clone()).await;
        let valid = document.errors(&schemas["NewTask"], &body);
        assert_eq!(create.status == 201, valid.is_empty(), "create: {label}: {valid:?} {create}");
    }
}

/// Every media type object of a request or a response.
fn contents(value: &Value) -> Vec<&Value> {
    let here = members(&value["content"]).values();
    let below = value.as_object().into_iter().flat_map(|members| members.values());
    let below = below.chain(value.as_array().into_iter().flatten()).flat_map(contents);
    here.chain(below).collect()
}
