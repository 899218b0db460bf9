//! The OpenAPI document, and its description of a response.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use reqwest::Method;
use serde_json::{Map, Value, json};
use tests::{App, Response};

/// An operation: the path's template and the method.
pub(crate) type Operation = (String, String);

/// The document that the service serves.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) async fn of(app: &App) -> Self {
        Self(app.get("/openapi.json").await.good(200))
    }

    pub(crate) fn operations(&self) -> BTreeSet<Operation> {
        let operations = |(path, item): (&String, &Value)| {
            members(item).keys().map(|method| (path.clone(), method.to_uppercase())).collect()
        };
        members(&self.0["paths"]).iter().flat_map::<Vec<Operation>, _>(operations).collect()
    }

    /// Each status code of each operation.
    pub(crate) fn answers(&self) -> BTreeSet<(Operation, String)> {
        let answers = |operation: Operation| {
            let responses = members(&self.operation(&operation)["responses"]);
            responses.keys().map(|status| (operation.clone(), status.clone())).collect()
        };
        self.operations().into_iter().flat_map::<Vec<_>, _>(answers).collect()
    }

    /// Asserts that status code, media type, headers and body of the response are as documented.
    #[track_caller]
    pub(crate) fn assert_describes(&self, path: &str, method: &Method, response: &Response) {
        let operation = self.operation(&(path.to_owned(), method.to_string()));
        let status = response.status.to_string();
        let documented = self.resolved(&operation["responses"][&status]);
        assert!(documented.is_object(), "{method} {path}: {status} is not documented: {response}");
        for name in members(&documented["headers"]).keys() {
            let header = self.resolved(&documented["headers"][name]);
            if header["required"] != true && !response.has_header(name) {
                continue;
            }
            assert!(response.has_header(name), "{method} {path}: no {name} in {response:#}");
            let value = match header["schema"]["type"].as_str() {
                Some("integer") => json!(response.header(name).parse::<i64>().expect("a number")),
                _ => json!(response.header(name)),
            };
            self.assert_valid(&header["schema"], &value, &format!("{method} {path}: {name}"));
        }
        for name in [
            "accept",
            "accept-encoding",
            "accept-patch",
            "allow",
            "etag",
            "idempotency-replayed",
            "link",
            "location",
            "retry-after",
            "www-authenticate",
        ] {
            let mut names = members(&documented["headers"]).keys();
            let is_documented = names.any(|header| header.eq_ignore_ascii_case(name));
            assert!(
                is_documented || !response.has_header(name),
                "{method} {path}: {name} of {response:#}"
            );
        }
        let content = members(&documented["content"]);
        if content.is_empty() {
            assert!(response.body.is_empty(), "{method} {path}: a body in {response:#}");
            return;
        }
        let media_type = response.header("content-type").split(';').next().unwrap_or_default();
        let content = content.get(media_type);
        let content =
            content.unwrap_or_else(|| panic!("{method} {path}: {media_type}: {response}"));
        if media_type.ends_with("json") {
            let label = format!("{method} {path}: {status}");
            self.assert_valid(&content["schema"], &response.json(), &label);
        }
    }

    /// Asserts that the value is valid under the schema, which may refer to others in the document.
    #[track_caller]
    pub(crate) fn assert_valid(&self, schema: &Value, value: &Value, label: &str) {
        let errors = self.errors(schema, value);
        assert!(errors.is_empty(), "{label}: {errors:?} in {value}");
    }

    pub(crate) fn errors(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        let validator = validator.unwrap_or_else(|err| panic!("a bad schema: {err}: {schema}"));
        validator.iter_errors(value).map(|error| error.to_string()).collect()
    }

    fn operation(&self, (path, method): &Operation) -> &Value {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not documented");
        operation
    }

    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            None => value,
            Some(place) => {
                let target = self.0.pointer(place.trim_start_matches('#'));
                target.unwrap_or_else(|| panic!("{place} is not there"))
            }
        }
    }
}

/// The members of an object; none if it is not an object.
pub(crate) fn members(value: &Value) -> &Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value.as_object().unwrap_or(&NONE)
}
