//! Spin's runtime configuration file, of which `local` supports `[outbound_pg] max_connections`.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::source::Source;
use crate::error::Error;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuntimeConfig {
    #[serde(default)]
    pub(crate) outbound_pg: OutboundPg,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutboundPg {
    /// PostgreSQL connections that the application may hold at once. A component that opens one more waits until
    /// another is closed. Unlike Spin, `local` does not accept 0, with which every request waits forever.
    pub(crate) max_connections: Option<NonZeroUsize>,
}

impl RuntimeConfig {
    pub(crate) fn load(path: &Path) -> Result<RuntimeConfig, Error> {
        Source::read(path)?.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<usize>, String> {
        let parsed = Source::new("runtime-config.toml", text).parse::<RuntimeConfig>();
        let limit = parsed.map(|config| config.outbound_pg.max_connections);
        limit.map(|limit| limit.map(NonZeroUsize::get)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_limit_is_read() {
        assert_eq!(parse("[outbound_pg]\nmax_connections = 20\n"), Ok(Some(20)));
        assert_eq!(parse(""), Ok(None));
    }

    #[test]
    fn a_limit_of_no_connections_is_refused() {
        let limit = parse("[outbound_pg]\nmax_connections = 0\n");
        assert!(limit.is_err_and(|error| error.starts_with("runtime-config.toml:2:")));
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (text, expected) in [
            (
                "[outbound_pg]\n\n[key_value_store.default]\ntype = \"spin\"\n",
                "runtime-config.toml:3:2: `key_value_store` is not supported by `local`: expected `outbound_pg`",
            ),
            (
                "[outbound_pg]\npool = 1\n",
                "runtime-config.toml:2:1: `pool` is not supported by `local`: expected `max_connections`",
            ),
        ] {
            assert_eq!(parse(text), Err(expected.to_owned()));
        }
    }
}
