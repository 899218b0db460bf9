//! Properties of every connection string: nothing panics, what is accepted is read again as the same, drivers agree, TLS
//! is never given up, and a password is never shown.
//!
//! The cases are the same in every run; `PROPTEST_CASES` and `PROPTEST_RNG_SEED` change them.

use neon_url::{DatabaseUrl, SslMode};
use property_cases::config;
use proptest::prelude::*;
use proptest::sample::select;

/// Text with much in it that is syntax somewhere.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,20}", "\\PC{0,12}", "[a-z:/?#@%&=,\\[\\]+.'\"0-9]{0,30}"]
}

/// Text that can be a name or a password: of any characters but controls, which no part takes unencoded.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9_]{1,12}", "\\PC{1,12}", "[ -~]{1,20}"]
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02x}"))
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,10}[a-z0-9](\\.[a-z][a-z0-9]{1,8}){1,3}",
        "ep-[a-z]{3,8}-[a-z]{3,8}-[0-9]{6}(-pooler)?\\.eu-central-1\\.aws\\.neon\\.tech",
        Just("localhost".to_owned()),
        Just("127.0.0.1".to_owned()),
        Just("[::1]".to_owned()),
        "(25[0-5]|1[0-9]{2}|[1-9][0-9]?)(\\.(25[0-5]|1[0-9]{2}|[1-9]?[0-9])){3}",
    ]
}

fn parameters() -> impl Strategy<Value = String> {
    let one = select(vec![
        "sslmode=require",
        "sslmode=disable",
        "sslmode=prefer",
        "sslmode=verify-full",
        "channel_binding=require",
        "connect_timeout=7",
        "connect_timeout=x",
        "application_name=a%20b",
        "options=-c%20search_path%3Da",
        "options=endpoint%3Dep-cool-rain-123456",
        "pgbouncer=true",
        "target_session_attrs=read-write",
        "nonsense=1",
    ]);
    prop::collection::vec(one, 0..3).prop_map(|all| all.join("&"))
}

/// A whole string; its parts are encoded, or as they are.
fn connection_string() -> impl Strategy<Value = String> {
    let scheme = select(vec!["postgresql", "postgres", "postgresql+asyncpg", "mysql", ""]);
    let port = select(vec!["", ":5432", ":6543", ":0", ":99999", ":x", ":"]);
    let text = || prop_oneof![3 => value().prop_map(|text| encoded(&text)), 1 => odd_text(), 1 => Just(String::new())];
    (scheme, text(), text(), host(), port, text(), parameters()).prop_map(
        |(scheme, user, password, host, port, database, parameters)| {
            format!("{scheme}://{user}:{password}@{host}{port}/{database}?{parameters}")
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![odd_text(), connection_string(), "\\PC{0,60}"]) {
        // An error never repeats a long part of the string: it could be a password.
        if let Err(error) = DatabaseUrl::parse(&text) {
            let _ = error.to_string();
        }
    }

    #[test]
    fn what_is_accepted_is_read_again_as_the_same(text in connection_string()) {
        let Ok(url) = DatabaseUrl::parse(&text) else { return Ok(()) };
        let canonical = url.to_connection_string();
        let again = DatabaseUrl::parse(&canonical).expect("a string of its own");
        prop_assert_eq!(&again, &url);
        prop_assert_eq!(again.to_connection_string(), canonical);
        prop_assert_eq!(again.ssl_mode(), url.ssl_mode());
        // The twins of Neon's endpoints are each other's.
        prop_assert_eq!(url.pooled().pooled(), url.pooled());
        prop_assert_eq!(url.direct().direct(), url.direct());
        prop_assert_eq!(url.pooled().direct(), url.direct());
        prop_assert!(!url.direct().is_pooled());
    }

    #[test]
    fn a_remote_host_is_reached_over_tls_only(text in connection_string()) {
        let Ok(url) = DatabaseUrl::parse(&text) else { return Ok(()) };
        let is_here = url.is_loopback() || url.is_unix_socket();
        prop_assert!(is_here || url.ssl_mode() == SslMode::Require, "{}", url);
        let moved = [url.pooled(), url.direct(), url.with_database("x"), url.with_role("x", "y")];
        for other in moved {
            prop_assert_eq!(other.ssl_mode(), url.ssl_mode());
        }
    }

    /// The libraries that connect read the same out of it.
    #[test]
    fn a_driver_and_the_url_crate_agree(
        user in value(), password in value(), database in value(), host in host(), port in 1_u16..,
    ) {
        let [user_part, password_part, database_part] = [&user, &password, &database].map(|text| encoded(text));
        let text = format!("postgres://{user_part}:{password_part}@{host}:{port}/{database_part}");
        let url = DatabaseUrl::parse(&text).expect("a good string");
        prop_assert_eq!(url.user(), &user);
        prop_assert_eq!(url.password(), Some(password.as_str()));
        prop_assert_eq!(url.database(), &database);
        prop_assert_eq!(url.port(), port);

        let driver: tokio_postgres::Config = url.to_connection_string().parse().expect("the driver reads it");
        prop_assert_eq!(driver.get_user(), Some(user.as_str()));
        prop_assert_eq!(driver.get_password(), Some(password.as_bytes()));
        prop_assert_eq!(driver.get_dbname(), Some(database.as_str()));
        prop_assert_eq!(driver.get_ports(), &[port]);
        prop_assert_eq!(driver.get_hosts(), &[tokio_postgres::config::Host::Tcp(url.host().to_owned())]);

        let other = url::Url::parse(&text).expect("a URL");
        let other_host = other.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        prop_assert_eq!(url.host(), other_host);
        prop_assert_eq!(url.port(), other.port().unwrap_or(5432));
    }

    /// The password is marked: nothing else has this text in it.
    #[test]
    fn a_password_is_never_shown(
        before in odd_text(), after in odd_text(), host in host(), parameters in parameters(), is_encoded: bool,
    ) {
        const MARK: &str = "Zq7wXsecretXw7qZ";
        let password = format!("{before}{MARK}{after}");
        let password = if is_encoded { encoded(&password) } else { password };
        let text = format!("postgresql://ann:{password}@{host}/shop?{parameters}");
        let shown = match DatabaseUrl::parse(&text) {
            Ok(url) => format!("{url} {url:?} {}", url.with_search_path("a").direct()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(MARK) && !shown.contains(&encoded(MARK)), "{}", shown);
    }
}
