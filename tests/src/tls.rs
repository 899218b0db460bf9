//! A private certificate authority, and a certificate for this machine's names on loopback.

use std::path::{Path, PathBuf};

use neon_url::DatabaseUrl;
use tokio_postgres::Client;

use crate::build::workspace;
use crate::connect::connect;
use crate::wait::until;

/// The name of a database on loopback, as a direct endpoint of Neon's is called. Names below `localhost`
/// are loopback (RFC 6761): systemd resolves them, or Debian's `libnss-myhostname`.
pub const DIRECT_HOST: &str = "ep-taskie.localhost";

/// The name of the pooler in front of it.
pub const POOLED_HOST: &str = "ep-taskie-pooler.localhost";

/// PEM text of the authority that signed the certificate of [`DIRECT_HOST`], [`POOLED_HOST`] and
/// `localhost`.
pub const AUTHORITY: &str = include_str!("../data/tls/authority.pem");

/// PEM text of an authority that signed nothing.
pub const OTHER_AUTHORITY: &str = include_str!("../data/tls/other-authority.pem");

pub(crate) const CERTIFICATE: &str = include_str!("../data/tls/server.pem");
pub(crate) const KEY: &str = include_str!("../data/tls/server.key");

/// The file with [`AUTHORITY`].
pub fn authority_file() -> PathBuf {
    workspace().join("tests/data/tls/authority.pem")
}

/// Writes the certificate and its key into a folder, as `server.pem` and `server.key`.
pub(crate) fn write_certificate(folder: &Path) {
    for (file, content) in [("server.pem", CERTIFICATE), ("server.key", KEY)] {
        std::fs::write(folder.join(file), content).expect("write a file");
    }
}

/// Configures TLS on a throwaway server, for all later connections.
pub(crate) async fn offer(url: &DatabaseUrl) {
    let client = connect(url).await.expect("connect to the tests' server");
    // The files must belong to the server's account, so the server itself writes them.
    for (file, content) in [("tests.pem", CERTIFICATE), ("tests.key", KEY)] {
        let copy = format!(
            "copy (select regexp_split_to_table('{}', E'\\n')) to program 'umask 077; cat > {file}'",
            content.trim_end()
        );
        client.batch_execute(&copy).await.expect("write a file");
    }
    for setting in ["ssl_cert_file = 'tests.pem'", "ssl_key_file = 'tests.key'", "ssl = on"] {
        client.batch_execute(&format!("alter system set {setting}")).await.expect("set");
    }
    client.batch_execute("select pg_reload_conf()").await.expect("reload");
    until("the server offers TLS", async || {
        let client: Client = connect(url).await.expect("connect to the tests' server");
        let row = client.query_one("show ssl", &[]).await.expect("ask");
        (row.get::<_, &str>(0) == "on").then_some(())
    })
    .await;
}

/// A connection string with TLS, to another host and port.
pub fn with_tls(url: &DatabaseUrl, host: &str, port: u16) -> DatabaseUrl {
    let text = url.to_connection_string();
    let here = format!("@{}:{}/", url.host(), url.port());
    let there = format!("@{host}:{port}/");
    let text = text.replacen(&here, &there, 1).replacen("sslmode=disable", "sslmode=require", 1);
    text.parse().expect("a connection string")
}
