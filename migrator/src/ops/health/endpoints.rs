//! Checks the pooled and the direct endpoint of a database.

use std::time::Duration;

use neon_url::{DatabaseUrl, Endpoint};
use tokio::time::timeout;

use crate::connect::{ConnectOptions, Connector, Opened};
use crate::error::Error;
use crate::ops::health::prepared_statements;
use crate::ops::health::report::{EndpointCheck, HealthReport};

/// The endpoints of the database: of Neon both; else the one that was given, and `pooled` if there
/// is one.
fn both(given: &DatabaseUrl, pooled: Option<&DatabaseUrl>) -> Vec<(&'static str, DatabaseUrl)> {
    let pooled = match (pooled, given.endpoint()) {
        (Some(pooled), _) => Some(pooled.clone()),
        (None, Endpoint::NeonPooled | Endpoint::NeonDirect) => Some(given.pooled()),
        (None, Endpoint::Other) => None,
    };
    pooled.map(|url| ("pooled", url)).into_iter().chain([("direct", given.direct())]).collect()
}

/// Looks at them. Of the one that was given, the report knows already whether it works, and
/// `failure` why it does not.
pub(super) async fn check(
    given: &DatabaseUrl,
    pooled: Option<&DatabaseUrl>,
    options: &ConnectOptions,
    limit: Duration,
    report: &HealthReport,
    failure: Option<&Error>,
) -> Vec<EndpointCheck> {
    let mut checks = Vec::new();
    for (kind, url) in both(given, pooled) {
        let mut check = EndpointCheck::of(kind, &url);
        if url == *given {
            check.works = failure.is_none();
            check.connect_ms = report.connect_ms.map(|times| times.warm);
            check.error = failure.map(ToString::to_string);
        } else {
            match visit(&url, options, limit).await {
                Ok(connect_ms) => {
                    check.works = true;
                    check.connect_ms = Some(connect_ms);
                }
                Err(error) => check.error = Some(error.to_string()),
            }
        }
        if kind == "pooled"
            && check.works
            && let Ok(connector) = Connector::new(&url, options)
        {
            let (fate, untested) = prepared_statements::prove(&connector).await;
            check.prepared_statements = Some(fate);
            check.prepared_statements_untested = untested;
        }
        checks.push(check);
    }
    checks
}

/// Connects, logs in and asks something. Returns how long connecting took.
async fn visit(url: &DatabaseUrl, options: &ConnectOptions, limit: Duration) -> Result<f64, Error> {
    let connector = Connector::new(url, options)?;
    let opened = connector.connect_once(limit).await;
    let Opened { connection, phases, .. } = opened.map_err(|(error, _)| error)?;
    let answered = timeout(limit, connection.client.simple_query("select 1")).await;
    let result = match answered {
        Ok(Ok(_)) => Ok(phases.total),
        Ok(Err(source)) => Err(Error::Query { action: "answer `select 1`", source }),
        Err(_) => Err(connector.no_answer(limit)),
    };
    connection.close().await;
    result
}

#[cfg(test)]
mod tests {
    use neon_url::DatabaseUrl;

    use super::both;

    const POOLED: &str = "postgresql://ann@ep-cool-1-pooler.us-east-2.aws.neon.tech/shop";
    const DIRECT: &str = "postgresql://ann@ep-cool-1.us-east-2.aws.neon.tech/shop";
    const OTHER: &str = "postgresql://ann@db.example.com/shop";
    const POOLER: &str = "postgresql://ann@pooler.example.com:6432/shop";

    #[test]
    fn the_endpoints_of_a_database_are_known() {
        for (label, given, pooled, expected) in [
            ("Neon, pooled", POOLED, None, vec![("pooled", POOLED), ("direct", DIRECT)]),
            ("Neon, direct", DIRECT, None, vec![("pooled", POOLED), ("direct", DIRECT)]),
            ("Neon, own", DIRECT, Some(POOLER), vec![("pooled", POOLER), ("direct", DIRECT)]),
            ("another", OTHER, None, vec![("direct", OTHER)]),
            ("with pooler", OTHER, Some(POOLER), vec![("pooled", POOLER), ("direct", OTHER)]),
        ] {
            let parse = |url: &str| url.parse::<DatabaseUrl>().expect("a connection string");
            let expected: Vec<_> =
                expected.into_iter().map(|(kind, url)| (kind, parse(url))).collect();
            assert_eq!(both(&parse(given), pooled.map(parse).as_ref()), expected, "{label}");
        }
    }
}
