//! A compute of Neon's behind its proxy: waited for while it starts, and not where it is refused.

use std::time::{Duration, Instant};

use neon_url::DatabaseUrl;
use tests::{CliOutput, NeonMessage, NeonProxy, TestDatabase, TestServer, authority_file};

use crate::support::catalog::versions;
use crate::support::program::run_with;

/// An empty database behind a proxy.
async fn behind_neon() -> (TestDatabase, NeonProxy) {
    let server = TestServer::throwaway().await;
    (server.empty_database().await, NeonProxy::before(server).await)
}

async fn up(url: &DatabaseUrl, arguments: &[&str]) -> CliOutput {
    let (url, authority) = (url.to_connection_string(), authority_file());
    let authority = authority.to_str().expect("a plain path");
    let variables = [("DATABASE_URL", url.as_str()), ("DATABASE_CA", authority)];
    run_with(&variables, &[&["up"], arguments].concat()).await
}

#[tokio::test]
async fn a_suspended_compute_is_waited_for_and_the_user_is_told() {
    const WAKING: Duration = Duration::from_secs(3);
    let server = TestServer::with_settings(&[("synchronous_commit", "on")]).await;
    let (database, proxy) = (server.empty_database().await, NeonProxy::before(server).await);
    proxy.suspend(WAKING).await;
    let begin = Instant::now();
    up(&proxy.through(database.url()), &[])
        .await
        .exits(0)
        .says("The database does not answer yet (a suspended compute takes some seconds to wake up); trying for up to 30");
    assert!(begin.elapsed() >= WAKING, "{:?}", begin.elapsed());
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_busy_control_plane_is_waited_for_and_the_user_is_told() {
    let (database, proxy) = behind_neon().await;
    for message in NeonMessage::TEMPORARY {
        proxy.refuse(message, 2).await;
        let told = format!("does not answer yet ({} ({}))", message.text, message.code);
        up(&proxy.through(database.url()), &[]).await.exits(0).says(&told);
    }
    assert_eq!(versions(&database).await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_no_time_changes_fails_at_once() {
    let (database, proxy) = behind_neon().await;
    for message in NeonMessage::PERMANENT {
        proxy.refuse(message, usize::MAX).await;
        up(&proxy.through(database.url()), &[])
            .await
            .exits(3)
            .says(&format!("refused the connection: {} ({})", message.text, message.code))
            .says("hint: ")
            .does_not_print("the message is the server's")
            .does_not_print("the user name and the password")
            .does_not_print("does not answer yet");
    }
}

#[tokio::test]
async fn the_hint_says_what_to_do() {
    let (database, proxy) = behind_neon().await;
    for (part, hint) in [
        ("data transfer quota", "raise it in Neon's console"),
        ("has been disabled", "enable the compute in Neon's console"),
        ("endpoint cannot be found", "check the endpoint (`ep-…`)"),
        ("This IP address", "allow this machine's address"),
    ] {
        let message = NeonMessage::PERMANENT.into_iter().find(|known| known.text.contains(part));
        proxy.refuse(message.expect("a message"), usize::MAX).await;
        up(&proxy.through(database.url()), &[]).await.exits(3).says(hint);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_unknown_or_not_named_fails_at_once() {
    let (database, proxy) = behind_neon().await;
    for (url, text) in [
        (proxy.through_endpoint(database.url(), "ep-other"), "could not be found, or you don't"),
        (proxy.without_endpoint(database.url()), "Endpoint ID is not specified."),
    ] {
        up(&url, &[])
            .await
            .exits(3)
            .says(text)
            .says("hint: check the endpoint")
            .does_not_print("does not answer yet");
    }
}

#[tokio::test]
async fn a_refusal_is_a_document_for_scripts() {
    let (database, proxy) = behind_neon().await;
    proxy.refuse(NeonMessage::PERMANENT[0], usize::MAX).await;
    let output = up(&proxy.through(database.url()), &["--json"]).await.exits(3);
    let document = output.json();
    assert_eq!(document["error"]["kind"], "refused", "{document:#}");
}
