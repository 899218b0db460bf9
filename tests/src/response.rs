//! A response and its assertions.

use reqwest::header::HeaderMap;
use serde_json::Value;

/// A response, read to its end.
#[derive(Clone, Debug)]
#[must_use = "nothing is asserted about the response yet"]
pub struct Response {
    pub(crate) label: String,
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, empty where there is none.
    pub body: Vec<u8>,
}

impl Response {
    /// Asserts a success with this status and a JSON body, which is returned.
    #[track_caller]
    pub fn good(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:#}");
        assert_eq!(self.header("content-type"), "application/json", "{self:#}");
        self.json()
    }

    /// Asserts this status and no body.
    #[track_caller]
    pub fn empty(&self, status: u16) {
        assert_eq!(self.status, status, "{self:#}");
        assert!(self.body.is_empty(), "{self:#}");
    }

    /// Asserts a problem document with this status and all members that every problem has.
    #[track_caller]
    pub fn problem(&self, status: u16) -> Problem {
        assert_eq!(self.status, status, "{self:#}");
        assert_eq!(self.header("content-type"), "application/json", "{self:#}");
        let vary = self.headers.get_all("vary").iter().filter_map(|line| line.to_str().ok());
        let mut names = vary.flat_map(|line| line.split(',').map(str::trim));
        assert!(names.any(|name| name.eq_ignore_ascii_case("accept")), "{self:#}");
        let document = self.json();
        let text = |name: &str| {
            document[name].as_str().unwrap_or_else(|| panic!("no text `{name}`: {self:#}"))
        };
        let kind = text("type").strip_prefix("/problems/").unwrap_or_default();
        assert!(
            !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
            "{self:#}"
        );
        let code = reqwest::StatusCode::from_u16(status).expect("a status code");
        assert_eq!(Some(text("title")), code.canonical_reason(), "{self:#}");
        assert_eq!(document["status"], status, "{self:#}");
        assert!(!text("detail").is_empty(), "{self:#}");
        assert_eq!(text("error"), text("detail"), "{self:#}");
        assert_eq!(text("request_id"), self.header("x-request-id"), "{self:#}");
        Problem { document, label: self.label.clone() }
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|err| panic!("not JSON ({err}): {self:#}"))
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|err| panic!("not UTF-8 ({err}): {self:#}"))
    }

    /// The value of a header, which must be there exactly once.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert_eq!(values.len(), 1, "header `{name}` of {self:#}");
        values[0].to_str().unwrap_or_else(|err| panic!("header `{name}` ({err}) of {self:#}"))
    }

    /// True if there is such a header.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }
}

/// The request, the status and the body, for messages; with `#` the headers too.
impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} → {}", self.label, self.status)?;
        if f.alternate() {
            for (name, value) in &self.headers {
                writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
            }
            writeln!(f)?;
        }
        let body = String::from_utf8_lossy(&self.body);
        let short: String = body.chars().take(2_000).collect();
        write!(f, "{short}")
    }
}

/// A valid problem document (RFC 9457).
#[derive(Clone, Debug)]
pub struct Problem {
    document: Value,
    label: String,
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "the assertion has been made; chaining another is optional"
)]
impl Problem {
    /// Asserts exactly this message.
    #[track_caller]
    pub fn says(self, message: &str) -> Self {
        assert_eq!(self.document["error"], message, "{}", self.label);
        self
    }

    /// Asserts that the message contains this text.
    #[track_caller]
    pub fn mentions(self, part: &str) -> Self {
        let message = self.message();
        assert!(message.contains(part), "{}: `{part}` is not in `{message}`", self.label);
        self
    }

    /// Asserts that `type` is `/problems/{kind}`.
    #[track_caller]
    pub fn kind(self, kind: &str) -> Self {
        assert_eq!(self.document["type"], format!("/problems/{kind}"), "{}", self.label);
        self
    }

    /// Asserts the one invalid member, whose message is the document's too.
    #[track_caller]
    pub fn field(self, field: &str, message: &str) -> Self {
        self.fields(&[(field, message)])
    }

    /// Asserts all invalid members with their messages, in any order; the message of the first one in
    /// the document is the document's too.
    #[track_caller]
    pub fn fields(self, expected: &[(&str, &str)]) -> Self {
        let mut found = self.errors();
        assert_eq!(self.document["error"], found[0].1, "{}: the first message counts", self.label);
        found.sort();
        let mut expected: Vec<(String, String)> = expected
            .iter()
            .map(|(field, message)| ((*field).to_owned(), (*message).to_owned()))
            .collect();
        expected.sort();
        assert_eq!(found, expected, "{}", self.label);
        self
    }

    /// Asserts one invalid member, whose message contains these parts.
    #[track_caller]
    pub fn field_mentions(self, field: &str, parts: &[&str]) -> Self {
        let found = self.errors();
        assert_eq!(found.len(), 1, "{}: {found:?}", self.label);
        assert_eq!(found[0].0, field, "{}: {found:?}", self.label);
        for part in parts {
            assert!(
                found[0].1.contains(part),
                "{}: `{part}` is not in `{}`",
                self.label,
                found[0].1
            );
        }
        self
    }

    /// The message.
    pub fn message(&self) -> String {
        self.document["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The document without the request id, which differs between any two requests.
    pub fn without_request_id(mut self) -> Value {
        if let Some(members) = self.document.as_object_mut() {
            members.remove("request_id");
        }
        self.document
    }

    #[track_caller]
    fn errors(&self) -> Vec<(String, String)> {
        let errors = self.document["errors"].as_array();
        let errors =
            errors.unwrap_or_else(|| panic!("{}: no `errors` in {}", self.label, self.document));
        assert!(!errors.is_empty(), "{}: no member in `errors`", self.label);
        let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| (text(error, "field"), text(error, "message"))).collect()
    }
}
