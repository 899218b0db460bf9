//! The page that shows the API, and its files, over HTTP. The suite `docs` opens them in a browser.

use reqwest::Method;
use tests::App;

/// The page and the files that it loads.
const FILES: [(&str, &str); 7] = [
    ("/docs", "text/html; charset=utf-8"),
    ("/docs/", "text/html; charset=utf-8"),
    ("/docs/page.css", "text/css; charset=utf-8"),
    ("/docs/start.js", "text/javascript; charset=utf-8"),
    ("/docs/swagger-ui-dist-5.35.0/swagger-ui.css", "text/css; charset=utf-8"),
    ("/docs/swagger-ui-dist-5.35.0/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("/openapi.json", "application/json"),
];

#[tokio::test]
async fn each_file_is_whole_and_has_its_headers() {
    let app = App::start().await;
    for (path, content_type) in FILES {
        let response = app.get(path).header("X-Request-Id", "find-me").await;
        assert_eq!(response.status, 200, "{path}: {:?}", response.headers);
        assert_eq!(response.header("content-type"), content_type, "{path}");
        assert_eq!(response.header("content-length"), response.body.len().to_string(), "{path}");
        assert_eq!(response.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(response.header("x-request-id"), "find-me", "{path}");
        assert!(response.header("server-timing").starts_with("db;dur=0.000, total;dur="), "{path}");
        assert!(!response.has_header("transfer-encoding"), "{path}");
    }
}

#[tokio::test]
async fn a_file_is_found_however_its_path_is_written() {
    let app = App::start().await;
    for (path, written) in [
        ("/docs/page.css", "/docs/page.css/"),
        ("/docs/page.css", "/docs/p%61ge%2Ecss"),
        ("/docs/start.js", "/docs/%73tart.js"),
        ("/openapi.json", "/openapi.json/"),
    ] {
        let (plain, response) = (app.get(path).await, app.get(written).await);
        assert_eq!(response.status, 200, "{written}");
        assert_eq!(response.body, plain.body, "{written}");
        assert_eq!(response.header("etag"), plain.header("etag"), "{written}");
    }
}

#[tokio::test]
async fn another_version_than_the_named_one_is_not_sent() {
    let app = App::start().await;
    for (path, _) in FILES {
        let version = app.get(path).await.header("etag").to_owned();
        for (if_match, status) in [
            (version.clone(), 200),
            (format!("\"x\", {version}"), 200),
            ("*".to_owned(), 200),
            ("\"x\"".to_owned(), 412),
            (format!("W/{version}"), 412),
        ] {
            let response = app.get(path).header("If-Match", &if_match).await;
            assert_eq!(response.status, status, "{path}: {if_match}");
            // It comes first (RFC 9110, section 13.2.2).
            let known = app.get(path).header("If-Match", &if_match).header("If-None-Match", "*");
            assert_eq!(known.await.status, if status == 200 { 304 } else { 412 }, "{path}");
        }
    }
    let response = app.get("/docs").header("If-Match", "\"x\"").await;
    response.problem(412).kind("precondition-failed");
}

/// The document is public: any page may read it, without credentials, and change nothing.
#[tokio::test]
async fn pages_of_any_origin_may_read_the_document() {
    let app = App::start().await;
    let with = |method: Method| {
        app.request(method, "/openapi.json").header("Origin", "https://elsewhere.example")
    };
    let etag = app.get("/openapi.json").await.header("etag").to_owned();
    for (request, status) in [
        (with(Method::GET), 200),
        (with(Method::HEAD), 200),
        (with(Method::GET).header("If-None-Match", &etag), 304),
        (with(Method::GET).header("If-Match", "\"x\""), 412),
        (with(Method::POST), 405),
        (with(Method::OPTIONS).header("Access-Control-Request-Method", "GET"), 204),
        (
            with(Method::OPTIONS)
                .header("Access-Control-Request-Method", "GET")
                .header("Access-Control-Request-Headers", "traceparent,authorization"),
            204,
        ),
    ] {
        let response = request.await;
        assert_eq!(response.status, status, "{response:#}");
        assert_eq!(response.header("access-control-allow-origin"), "*", "{response:#}");
        assert!(!response.has_header("access-control-allow-credentials"), "{response:#}");
        assert_eq!(response.header("access-control-expose-headers"), "*", "{response:#}");
        assert_eq!(response.header("access-control-allow-methods"), "GET,HEAD", "{response:#}");
        let headers = response.header("access-control-allow-headers");
        assert_eq!(headers, "*,authorization", "{response:#}");
    }
    for path in ["/docs", "/docs/start.js", "/docs/nope"] {
        let response = app.get(path).header("Origin", "https://elsewhere.example").await;
        assert!(!response.has_header("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let app = App::start().await;
    for (path, _) in FILES {
        let get = app.get(path).await;
        let head = app.request(Method::HEAD, path).await;
        head.empty(200);
        for name in ["content-type", "content-length", "cache-control", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn a_cached_file_is_not_sent_again() {
    let app = App::start().await;
    for (path, _) in FILES {
        let first = app.get(path).await;
        let version = first.header("etag");
        for known in [version, &format!("W/{version}"), &format!("\"x\", {version}"), "*"] {
            for method in [Method::GET, Method::HEAD] {
                let again = app.request(method, path).header("If-None-Match", known).await;
                again.empty(304);
                assert_eq!(again.header("etag"), version, "{path}");
                assert_eq!(again.header("cache-control"), first.header("cache-control"), "{path}");
                assert!(again.has_header("x-request-id"), "{path}");
            }
        }
        let changed = app.get(path).header("If-None-Match", "\"x\"").await;
        assert_eq!(changed.status, 200, "{path}");
    }
}

#[tokio::test]
async fn only_the_viewers_files_are_cached_without_revalidation() {
    let app = App::start().await;
    for (path, _) in FILES {
        let expected = if path.contains("5.35.0") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        assert_eq!(app.get(path).await.header("cache-control"), expected, "{path}");
    }
}

#[tokio::test]
async fn the_page_may_use_its_own_origin_only() {
    let response = App::start().await.get("/docs").await;
    let policy = response.header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        let mut directives = policy.split(';').map(str::trim);
        assert!(directives.any(|found| found == directive), "{directive} in {policy}");
    }
    assert_eq!(policy.split(';').count(), 8, "{policy}");
    assert!(!response.text().contains("http"), "the page names no other origin");
}

#[tokio::test]
async fn another_method_is_answered_with_the_right_ones() {
    let app = App::start().await;
    for (path, _) in FILES {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let response = app.request(method, path).await;
            response.problem(405).kind("method-not-allowed");
            assert_eq!(response.header("allow"), "GET,HEAD,OPTIONS", "{path}");
        }
        let response = app.request(Method::OPTIONS, path).await;
        assert_eq!(response.status, 204, "{response}");
        assert_eq!(response.header("allow"), "GET,HEAD,OPTIONS", "{path}");
    }
}

#[tokio::test]
async fn another_path_is_not_found() {
    let app = App::start().await;
    for path in [
        "/docs/nope",
        "/docs/index.html",
        "/docs/swagger-ui-dist-5.35.0",
        "/docs/swagger-ui-dist-5.35.0/",
        "/docs/../openapi.json",
        "/docs/..%2fopenapi.json",
        "/docs//",
        "/docs/page.css//",
        "/docs/swagger-ui-dist-5.35.0%2Fswagger-ui.css",
        "/docs//start.js",
        "/docsx",
        "/Docs",
        "/openapi.json//",
        "/openapi",
    ] {
        let response = app.request(Method::POST, path).await;
        assert!([404, 405].contains(&response.status), "{response}");
        let response = app.get(path).await;
        assert!(response.status == 404 || path.contains("/../"), "{response}");
    }
}
