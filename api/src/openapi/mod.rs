//! The OpenAPI document: the annotations beside the handlers, and what all of them have in common.
//!
//! The tests generate it and compare it with `openapi.json` in the repository, so that a review shows a
//! change of the contract. Nothing of this is in the component.

pub(crate) mod failures;
mod headers;
mod pages;
pub(crate) mod schema;

use utoipa::OpenApi;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Info, InfoBuilder, License, OpenApi as Document, RefOr};

use crate::health;
use crate::http::index;
use crate::tasks::TaskRoutes;

/// The whole document.
fn document() -> Document {
    let mut document = Api::openapi();
    document.merge(TaskRoutes::openapi());
    document.info = info();
    name_put(&mut document);
    headers::describe(&mut document);
    link_new_tasks(&mut document);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", token());
    document
}

/// All but the task routes.
#[derive(OpenApi)]
#[openapi(
    paths(
        index::show_index,
        health::check_process,
        health::check_database,
        health::show_connections,
        pages::show_document,
        pages::show_page
    ),
    components(
        schemas(responses::problem::Document<'static>),
        responses(
            failures::InvalidTask,
            failures::InvalidUpdate,
            failures::InvalidStatus,
            failures::InvalidTaskId,
            failures::InvalidFilter,
            failures::PreconditionFailed,
            failures::IdempotencyKeyReused,
            failures::Unauthorized,
            failures::NotRegistered,
            failures::TaskNotFound,
            failures::RouteNotFound,
            failures::MethodNotAllowed,
            failures::EmailTaken,
            failures::BodyTooSlow,
            failures::BodyTooLarge,
            failures::UnsupportedMediaType,
            failures::ServerError,
            failures::Unavailable,
            failures::DatabaseUnhealthy,
            failures::DatabaseTooSlow
        )
    ),
    // Relative to where the document is, so also behind a proxy that adds a prefix.
    servers((url = ".", description = "The service that this document is from")),
    tags(
        (name = "Tasks", description = "The tasks of one user: the one whom the token and the path name"),
        (name = "Health", description = "For probes and operators; no token"),
        (name = "About", description = "What describes the API; no token")
    )
)]
struct Api;

/// Metadata of the document.
fn info() -> Info {
    let mut license = License::new("Apache 2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    InfoBuilder::new()
        .title("Taskie")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(license))
        .description(Some(include_str!("about.md").trim_end()))
        .build()
}

/// Authentication scheme.
fn token() -> SecurityScheme {
    let description =
        "A JSON Web Token whose `sub` is the user in the path, and which has an `exp`.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    SecurityScheme::Http(scheme.description(Some(description)).build())
}

/// Each operation has its handler's name, and so would `PUT` have that of `PATCH`.
fn name_put(document: &mut Document) {
    for put in document.paths.paths.values_mut().filter_map(|item| item.put.as_mut()) {
        put.operation_id = put.operation_id.take().map(|name| name.replace("update_", "put_"));
    }
}

/// Links the response with a new task to every operation on one task.
fn link_new_tasks(document: &mut Document) {
    let paths = &mut document.paths.paths;
    let of_a_task = paths.iter_mut().filter(|(path, _)| path.contains("{id}"));
    let names: Vec<String> = of_a_task
        .flat_map(|(_, item)| operations(item))
        .filter_map(|operation| operation.operation_id.clone())
        .collect();
    let mut all = paths.values_mut().flat_map(operations);
    let created = all.find_map(|operation| operation.responses.responses.get_mut("201"));
    let Some(RefOr::T(created)) = created else { panic!("no operation makes a task") };
    for name in names {
        let link = LinkBuilder::new()
            .operation_id(&name)
            .parameter("user_id", "$request.path.user_id")
            .parameter("id", "$response.body#/id")
            .build();
        created.links.insert(name, link.into());
    }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde_json::Value;

    use super::document;
    use crate::http::route::Route;
    use crate::tasks::{MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS};

    /// Set by `cargo update-openapi`: the file is written before it is compared.
    const UPDATE: &str = "TASKIE_UPDATE_OPENAPI";

    const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];
    const OF_THE_OTHER_COMPONENT: [&str; 2] = ["/docs", "/openapi.json"];

    fn as_json() -> Value {
        serde_json::to_value(document()).expect("a document is JSON")
    }

    #[test]
    fn openapi_json_is_what_the_code_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.json");
        if std::env::var_os(UPDATE).is_some() {
            let text = serde_json::to_string_pretty(&document()).expect("a document is JSON");
            std::fs::write(&path, text + "\n").expect("write openapi.json");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        // As values: the order of members depends on who else uses the JSON library.
        let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
        assert!(
            kept == as_json(),
            "openapi.json is not what the code says: run `cargo update-openapi` and look at the difference"
        );
    }

    #[test]
    fn every_route_is_in_the_document() {
        let document = as_json();
        let routes: BTreeMap<&str, BTreeSet<String>> = Route::ALL
            .into_iter()
            .map(|route| {
                let methods = route.methods().split(',').map(str::to_lowercase);
                let own = methods.filter(|method| METHODS.contains(&method.as_str()));
                (route.template(), own.collect())
            })
            .collect();
        let paths = document["paths"].as_object().expect("paths").iter();
        let documented: BTreeMap<&str, BTreeSet<String>> = paths
            .filter(|(path, _)| !OF_THE_OTHER_COMPONENT.contains(&path.as_str()))
            .map(|(path, item)| {
                let methods = item.as_object().expect("operations").keys();
                (path.as_str(), methods.cloned().collect())
            })
            .collect();
        assert_eq!(routes, documented);
    }

    /// Generated clients make a type without members of an object that says nothing of them: not even
    /// the right value would be of that type.
    #[test]
    fn every_object_says_what_its_members_are() {
        fn check(value: &Value, place: &str) {
            if value["type"] == "object" {
                let members = value.get("properties").or(value.get("additionalProperties"));
                assert!(members.is_some(), "{place}: {value}");
            }
            match value {
                Value::Object(members) => {
                    members
                        .iter()
                        .for_each(|(name, member)| check(member, &format!("{place}/{name}")));
                }
                Value::Array(items) => items.iter().for_each(|item| check(item, place)),
                _ => {}
            }
        }
        check(&as_json(), "#");
    }

    /// Clients that openapi-typescript generates would have to send a member with a default, as if it
    /// were required: descriptions name what is taken instead.
    #[test]
    fn no_member_has_a_default() {
        let document = as_json();
        for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
            assert!(!schema.to_string().contains(r#""default":"#), "{name}: {schema}");
        }
    }

    #[test]
    fn every_operation_says_who_may_use_it() {
        let document = as_json();
        for (path, item) in document["paths"].as_object().expect("paths") {
            let needs_token = path.starts_with("/api/");
            for (method, operation) in item.as_object().expect("operations") {
                let security = operation["security"].as_array();
                let security = security.unwrap_or_else(|| panic!("{method} {path}"));
                assert_eq!(!security.is_empty(), needs_token, "{method} {path}");
            }
        }
    }

    #[test]
    fn the_document_has_the_limits_of_the_code() {
        let document = as_json();
        for name in ["Task", "NewTask", "TaskUpdate"] {
            let schema = &document["components"]["schemas"][name];
            let properties = schema.pointer("/properties");
            let properties = properties.or_else(|| schema.pointer("/allOf/0/properties"));
            let properties = properties.unwrap_or_else(|| panic!("{name}: {schema}"));
            assert_eq!(properties["title"]["maxLength"], MAX_TITLE_CHARS, "{name}");
            assert_eq!(properties["description"]["maxLength"], MAX_DESCRIPTION_CHARS, "{name}");
        }
    }
}
