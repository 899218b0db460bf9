//! Behind a proxy that serves the API under a prefix, and changes nothing in its answers: every
//! reference in an answer leads where it should, when a client resolves it (RFC 3986, section 5).

use reqwest::{Method, Url};
use serde_json::json;
use tests::{App, PrefixProxy, Response, User};

const PREFIX: &str = "/gateway/tasks-v1";

/// A client of the proxy, as one of the users.
struct Client {
    proxy: PrefixProxy,
    user: User,
}

impl Client {
    async fn new() -> Self {
        let app = App::start().await;
        let user = app.user("alice").await;
        Self { proxy: PrefixProxy::start(&app, PREFIX).await, user }
    }

    fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.proxy.url()).parse().expect("a URL")
    }

    async fn get(&self, url: &Url) -> Response {
        let request = self.user.app().request_at(Method::GET, url.as_str());
        request.token(&self.user.token).await
    }
}

/// The target of the `Link` to the next page.
fn next(response: &Response) -> &str {
    let link = response.header("link");
    let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    target.unwrap_or_else(|| panic!("not a link to a next page: {link}"))
}

#[tokio::test]
async fn location_leads_to_the_new_task() {
    let client = Client::new().await;
    for list in ["/tasks", "/tasks/", "/tasks?x=/y/", "/t%61sks"] {
        let url = client.url(&client.user.path(list));
        let request = client.user.app().request_at(Method::POST, url.as_str());
        let response = request.token(&client.user.token).json(json!({ "title": list })).await;
        let task = response.good(201);
        let location = url.join(response.header("location")).expect("a reference");
        assert!(location.path().ends_with(&format!("/{}", task["id"])), "{list}: {location}");
        assert_eq!(client.get(&location).await.good(200), task, "{list}: {location}");
    }
}

#[tokio::test]
async fn link_leads_to_the_next_page() {
    let client = Client::new().await;
    for title in ["one", "two", "three"] {
        client.user.task(title).await;
    }
    for list in ["/tasks", "/tasks/"] {
        let mut url = client.url(&client.user.path(&format!("{list}?limit=1&status=incomplete")));
        let mut titles = Vec::new();
        loop {
            let response = client.get(&url).await;
            titles.push(response.good(200)[0]["title"].as_str().expect("a title").to_owned());
            if !response.has_header("link") {
                break;
            }
            url = url.join(next(&response)).expect("a reference");
        }
        assert_eq!(titles, ["three", "two", "one"], "{list}");
    }
}

#[tokio::test]
async fn the_index_leads_to_the_page_and_to_the_document() {
    let client = Client::new().await;
    let url = client.url("/");
    let index = client.get(&url).await.good(200);
    let [page, document] = ["docs", "openapi"].map(|name| {
        let reference = index[name].as_str().expect("a reference");
        url.join(reference).expect("a reference")
    });
    assert_eq!(client.get(&page).await.header("content-type"), "text/html; charset=utf-8");
    let description = client.get(&document).await.good(200);
    // And the document to the API.
    let server = description["servers"][0]["url"].as_str().expect("the URL of a server");
    let server = document.join(server).expect("a reference");
    assert_eq!(server.as_str().trim_end_matches('/'), client.proxy.url());
}

/// The document that the page shows is named by its script: the suite `docs` sees to it, in a browser.
#[tokio::test]
async fn the_page_leads_to_its_files() {
    let client = Client::new().await;
    for path in ["/docs", "/docs/"] {
        let url = client.url(path);
        let page = client.get(&url).await;
        let values = page.text().split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let files: Vec<&str> = values.filter(|value| value.contains('.')).collect();
        assert_eq!(files.len(), 5, "{files:?}");
        for file in files {
            let file = url.join(file).expect("a reference");
            let response = client.get(&file).await;
            assert_eq!(response.status, 200, "{path}: {file}");
        }
    }
}
