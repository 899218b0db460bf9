//! Neon's host names: `ep-….REGION.….neon.tech` is a direct endpoint,
//! `ep-…-pooler.REGION.….neon.tech` its pooled twin.

/// Kinds of hosts in connection strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Neon's connection pooler (PgBouncer in transaction mode): cheap connections without session
    /// state.
    NeonPooled,
    /// A Neon compute itself: session state, advisory locks, few connections.
    NeonDirect,
    /// Any other PostgreSQL server.
    Other,
}

const POOLER_SUFFIX: &str = "-pooler";

/// `host` is in lower case.
pub(crate) fn endpoint(host: &str) -> Endpoint {
    let label = host.strip_suffix(".neon.tech").and_then(|rest| rest.split('.').next());
    match label.and_then(|label| label.strip_prefix("ep-")) {
        None | Some("" | "pooler") => Endpoint::Other,
        Some(name) if name.ends_with(POOLER_SUFFIX) => Endpoint::NeonPooled,
        Some(_) => Endpoint::NeonDirect,
    }
}

pub(crate) fn pooled_label(label: &str) -> String {
    format!("{label}{POOLER_SUFFIX}")
}

pub(crate) fn direct_label(label: &str) -> String {
    label.strip_suffix(POOLER_SUFFIX).unwrap_or(label).to_owned()
}

/// Renames the endpoint in `options=endpoint=ep-…`, which must agree with the host name that TLS
/// shows to Neon's proxy.
pub(crate) fn rename_endpoint_option(options: &str, old: &str, new: &str) -> String {
    let renamed = |word: &str| match word.split_once('=') {
        Some((key @ ("endpoint" | "project"), name)) if name == old => format!("{key}={new}"),
        _ => word.to_owned(),
    };
    options.split(' ').map(renamed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, endpoint, rename_endpoint_option};

    #[test]
    fn hosts_are_told_apart() {
        for (host, expected) in [
            ("ep-cool-darkness-123456.us-east-2.aws.neon.tech", Endpoint::NeonDirect),
            ("ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech", Endpoint::NeonPooled),
            ("ep-cool-darkness-a1b2c3d4.c-2.us-east-2.aws.neon.tech", Endpoint::NeonDirect),
            ("ep-cool-darkness-a1b2c3d4-pooler.c-2.us-east-2.aws.neon.tech", Endpoint::NeonPooled),
            ("ep-still-hill-a1b2c3d4-pooler.eastus2.azure.neon.tech", Endpoint::NeonPooled),
            ("ep-cool-darkness-123456.us-east-2.aws.evilneon.tech", Endpoint::Other),
            ("ep-cool-darkness-123456.neon.tech.example.com", Endpoint::Other),
            ("ep-cool-darkness-123456.neon.tech", Endpoint::NeonDirect),
            ("pg.neon.tech", Endpoint::Other),
            ("console.us-east-2.aws.neon.tech", Endpoint::Other),
            ("ep-.us-east-2.aws.neon.tech", Endpoint::Other),
            ("ep-pooler.us-east-2.aws.neon.tech", Endpoint::Other),
            ("neon.tech", Endpoint::Other),
            ("localhost", Endpoint::Other),
        ] {
            assert_eq!(endpoint(host), expected, "{host}");
        }
    }

    #[test]
    fn only_the_named_endpoint_is_renamed_in_options() {
        assert_eq!(
            rename_endpoint_option("-c search_path=a endpoint=ep-x-pooler", "ep-x-pooler", "ep-x"),
            "-c search_path=a endpoint=ep-x"
        );
        assert_eq!(
            rename_endpoint_option("endpoint=ep-other", "ep-x-pooler", "ep-x"),
            "endpoint=ep-other"
        );
    }
}
