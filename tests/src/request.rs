//! A request builder; the request is sent by awaiting it.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use crate::response::Response;

/// A request that is sent when it is awaited.
#[must_use = "a request is sent by awaiting it"]
pub struct Request {
    builder: RequestBuilder,
    label: String,
}

impl Request {
    pub(crate) fn new(http: &Client, method: Method, url: &str) -> Self {
        let label = format!("{method} {url}");
        Self { builder: http.request(method, url), label }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// Adds a header whose value need not be text.
    pub fn header_bytes(mut self, name: &str, value: &[u8]) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    /// `Authorization: Bearer …`.
    pub fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// A JSON document as the body.
    #[expect(clippy::needless_pass_by_value, reason = "callers write `json(json!({ … }))`")]
    pub fn json(self, value: Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Bytes as the body, sent as `application/json` whether they are JSON or not.
    pub fn json_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body("application/json", bytes)
    }

    /// Any body, with its media type.
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.builder = self.builder.header(CONTENT_TYPE, content_type).body(bytes.into());
        self
    }

    /// A streamed body, sent as `application/json`. The request does not end before the stream does.
    pub fn json_pieces(
        mut self,
        pieces: impl Stream<Item = &'static str> + Send + Sync + 'static,
    ) -> Self {
        let frames = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece))));
        let body = reqwest::Body::wrap(StreamBody::new(frames));
        self.builder = self.builder.header(CONTENT_TYPE, "application/json").body(body);
        self
    }

    /// A body without a media type.
    pub fn untyped_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.builder = self.builder.body(bytes.into());
        self
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { builder, label } = self;
            let response = builder.send().await;
            let response = response.unwrap_or_else(|err| panic!("{label}: no response: {err:?}"));
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = response.bytes().await;
            let body =
                body.unwrap_or_else(|err| panic!("{label}: the response broke off: {err:?}"));
            Response { label, status, headers, body: body.to_vec() }
        })
    }
}
