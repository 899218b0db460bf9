//! A user with an account, a token and tasks.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::App;
use crate::request::Request;
use crate::token::Token;

/// A user of the service. Paths given to its methods are relative to `/api/{id}`.
#[derive(Clone)]
pub struct User {
    app: App,
    /// The user id, in the database and in the token.
    pub id: String,
    /// The token that each request carries.
    pub token: String,
}

impl User {
    pub(crate) fn new(app: &App, id: String) -> Self {
        let token = Token::new(&id).claim("email", email_of(&id)).signed(app.jwt_secret());
        Self { app: app.clone(), id, token }
    }

    /// The same user with another token.
    #[must_use]
    pub fn with_token(&self, token: String) -> Self {
        Self { token, ..self.clone() }
    }

    /// The header line with the token.
    pub fn authorization(&self) -> String {
        format!("Authorization: Bearer {}", self.token)
    }

    /// The user's email address.
    pub fn email(&self) -> String {
        email_of(&self.id)
    }

    /// The whole path of `/tasks/1`, for example, below this user.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/{}{rest}", utf8_percent_encode(&self.id, NON_ALPHANUMERIC))
    }

    /// The service.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Any request by this user, on any path.
    pub fn request(&self, method: Method, path: &str) -> Request {
        self.app.request(method, path).token(&self.token)
    }

    /// `GET /api/{id}…`
    pub fn get(&self, rest: &str) -> Request {
        self.request(Method::GET, &self.path(rest))
    }

    /// `POST /api/{id}…`
    pub fn post(&self, rest: &str) -> Request {
        self.request(Method::POST, &self.path(rest))
    }

    /// `PUT /api/{id}…`
    pub fn put(&self, rest: &str) -> Request {
        self.request(Method::PUT, &self.path(rest))
    }

    /// `PATCH /api/{id}…`
    pub fn patch(&self, rest: &str) -> Request {
        self.request(Method::PATCH, &self.path(rest))
    }

    /// `DELETE /api/{id}…`
    pub fn delete(&self, rest: &str) -> Request {
        self.request(Method::DELETE, &self.path(rest))
    }

    /// `POST /api/{id}/tasks` with this body.
    pub fn create(&self, body: Value) -> Request {
        self.post("/tasks").json(body)
    }

    /// Creates a task with this title, which must succeed.
    pub async fn task(&self, title: &str) -> Value {
        self.create(json!({ "title": title })).await.good(201)
    }

    /// Lists all tasks, which must succeed.
    pub async fn tasks(&self) -> Vec<Value> {
        match self.get("/tasks").await.good(200) {
            Value::Array(tasks) => tasks,
            other => panic!("a list of tasks is an array, not {other}"),
        }
    }
}

/// The email address of a test user: another one for each id, also in lower case, as accounts have it.
fn email_of(user: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for character in user.chars() {
        if character.to_lowercase().eq([character]) {
            name.push(character);
        } else {
            let _ = write!(name, "{{{:x}}}", u32::from(character));
        }
    }
    format!("{name}@example.com")
}
