//! The page that shows the API, in a browser: `cargo test-docs`, with Chromium and its driver.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::{App, Browser, PrefixProxy};

/// A script that lists the method and the path of each operation on the page.
const LISTED: &str = "return [...document.querySelectorAll('.opblock')].map(block => \
    block.querySelector('.opblock-summary-method').textContent + ' ' + \
    block.querySelector('.opblock-summary-path').dataset.path)";

#[tokio::test]
async fn the_page_lists_every_operation_without_a_complaint() {
    let app = App::start().await;
    let document = app.get("/openapi.json").await.good(200);
    for path in ["/docs", "/docs/"] {
        let browser = Browser::open(&format!("{}{path}", app.url())).await;
        browser.find("#operations-Tasks-create_task").await;

        let listed = browser.run(LISTED).await;
        assert_eq!(texts(&listed), operations(&document), "{path}");
        let shown =
            texts(&browser.run("return [document.querySelector('.title').innerText]").await);
        assert!(shown.iter().all(|title| title.starts_with("Taskie")), "{path}: {shown:?}");
        assert_eq!(browser.complaints().await, Vec::<Value>::new(), "{path}");
        browser.close().await;
    }
}

/// Also where a proxy serves the application under a prefix.
#[tokio::test]
async fn everything_comes_from_the_same_application() {
    let app = App::start().await;
    let proxy = PrefixProxy::start(&app, "/gateway/tasks-v1").await;
    for base in [app.url(), proxy.url()] {
        for path in ["/docs", "/docs/"] {
            let browser = Browser::open(&format!("{base}{path}")).await;
            browser.find("#operations-Tasks-create_task").await;
            let script = "return performance.getEntriesByType('resource').map(entry => entry.name)";
            let loaded = texts(&browser.run(script).await);
            for name in &loaded {
                assert!(name.starts_with(&format!("{base}/")), "{base}{path}: {name}");
            }
            assert!(loaded.contains(&format!("{base}/openapi.json")), "{base}{path}: {loaded:?}");
            assert_eq!(browser.complaints().await, Vec::<Value>::new(), "{base}{path}");
            browser.close().await;
        }
    }
}

#[tokio::test]
async fn every_operation_opens_without_a_complaint() {
    let app = App::start().await;
    let browser = Browser::open(&format!("{}/docs", app.url())).await;
    let blocks = operations(&app.get("/openapi.json").await.good(200)).len();
    browser.find("#operations-Tasks-create_task").await;
    let open =
        "document.querySelectorAll('.opblock-summary-control').forEach(block => block.click())";
    browser.run(open).await;
    tests::until("all of them are open", async || {
        let open = browser.run("return document.querySelectorAll('.opblock.is-open').length").await;
        (open == blocks).then_some(())
    })
    .await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}

#[tokio::test]
async fn trying_it_out_with_a_token_creates_a_task() {
    let app = App::start().await;
    assert_makes_a_task(&app, &app.url()).await;
}

#[tokio::test]
async fn trying_it_out_under_a_prefix_makes_a_task() {
    let app = App::start().await;
    let proxy = PrefixProxy::start(&app, "/gateway/tasks-v1").await;
    assert_makes_a_task(&app, &proxy.url()).await;
}

/// Makes one on the page at this address of the application.
async fn assert_makes_a_task(app: &App, base: &str) {
    let alice = app.user("alice").await;
    let browser = Browser::open(&format!("{base}/docs")).await;

    browser.click(".auth-wrapper .btn.authorize").await;
    browser.fill(".modal-ux input", &alice.token).await;
    browser.click(".modal-ux .btn.authorize").await;
    browser.click(".modal-ux .btn-done").await;

    let create = "#operations-Tasks-create_task";
    browser.click(&format!("{create} .opblock-summary-control")).await;
    browser.click(&format!("{create} .try-out__btn")).await;
    browser.fill(&format!("{create} [data-param-name=user_id] input"), &alice.id).await;
    browser.fill(&format!("{create} .body-param__text"), r#"{"title": "Made on the page"}"#).await;
    browser.click(&format!("{create} .execute")).await;
    let answered = format!("{create} .live-responses-table .response .response-col_status");
    let status = browser.find(&answered).await.text().await.expect("the status");

    assert!(status.trim().starts_with("201"), "{status}");
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
    let titles = app
        .client()
        .await
        .query("select title from tasks where user_id = $1", &[&alice.id])
        .await
        .expect("read the tasks");
    let titles: Vec<&str> = titles.iter().map(|row| row.get(0)).collect();
    assert_eq!(titles, ["Made on the page"]);
}

/// The operations of the document, in the format of the page.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    operations.collect()
}

fn texts(list: &Value) -> BTreeSet<String> {
    let texts = list.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}
