//! The host's limit on a request, which has to be above the component's own: those have proper responses.

use std::env;
use std::time::Duration;

use local::REQUEST_TIMEOUT;
use neon_url::DatabaseUrl;

/// What a request may take besides its body, a connection and a statement: the issuer's keys, a second statement, and a
/// margin.
const REST: Duration = Duration::from_secs(20);

/// The default for a component with the variables of this environment and with this database. A variable that is no
/// number counts as not set: the component reports it.
pub(super) fn default_for(url: &DatabaseUrl) -> Duration {
    of(url.connect_timeout(), |variable| env::var(variable).ok())
}

fn of(connection: Duration, variable: impl Fn(&str) -> Option<String>) -> Duration {
    let millis = |name, default| {
        let value = variable(name).and_then(|value| value.trim().parse().ok());
        Duration::from_millis(value.unwrap_or(default))
    };
    let body = millis("SPIN_VARIABLE_REQUEST_TIMEOUT_MS", 10_000);
    let statement = millis("SPIN_VARIABLE_DATABASE_TIMEOUT_MS", 5_000);
    let sum = body.saturating_add(connection).saturating_add(statement).saturating_add(REST);
    REQUEST_TIMEOUT.max(sum)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use local::REQUEST_TIMEOUT;

    use super::of;

    #[test]
    fn it_is_above_the_limits_of_the_component() {
        let with = |name: &'static str, value: &'static str, connection| {
            let given = move |asked: &str| asked.ends_with(name).then(|| value.to_owned());
            of(Duration::from_secs(connection), given).as_secs()
        };
        assert_eq!(of(Duration::from_secs(10), |_| None), REQUEST_TIMEOUT);
        assert_eq!(with("_REQUEST_TIMEOUT_MS", "60000", 10), 95);
        assert_eq!(with("_DATABASE_TIMEOUT_MS", "30000", 30), 90);
        assert_eq!(with("_REQUEST_TIMEOUT_MS", "1000", 1), 45);
        assert_eq!(with("_REQUEST_TIMEOUT_MS", "a minute", 10), 45);
    }
}
