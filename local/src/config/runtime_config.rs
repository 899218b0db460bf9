//! Spin's runtime configuration file, as far as this runner knows it: `[outbound_pg] max_connections`.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Deserialize;

use super::source::Source;
use crate::error::Error;

/// What the file may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuntimeConfig {
    /// How many PostgreSQL connections the application may hold at once; `None` is no limit besides the pool's.
    /// A component that opens one more waits until another is closed.
    pub(crate) max_connections: Option<usize>,
}

#[derive(Default, Deserialize)]
struct Raw {
    #[serde(default)]
    outbound_pg: RawOutboundPg,
}

#[derive(Default, Deserialize)]
struct RawOutboundPg {
    max_connections: Option<NonZeroUsize>,
}

impl RuntimeConfig {
    /// Reads the file.
    pub(crate) fn load(path: &Path) -> Result<RuntimeConfig, Error> {
        RuntimeConfig::parse(&Source::read(path)?)
    }

    fn parse(source: &Source) -> Result<RuntimeConfig, Error> {
        let table = source.table()?;
        let table = table.get_ref();
        source.only("", table, &["outbound_pg"])?;
        if let Some(outbound_pg) = table.get("outbound_pg").and_then(|v| v.get_ref().as_table()) {
            source.only("outbound_pg", outbound_pg, &["max_connections"])?;
        }
        let raw: Raw = source.parse()?;
        Ok(RuntimeConfig {
            max_connections: raw.outbound_pg.max_connections.map(NonZeroUsize::get),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig, String> {
        RuntimeConfig::parse(&Source::of("runtime-config.toml", text)).map_err(|e| e.to_string())
    }

    #[test]
    fn the_limit_is_read() {
        let limit = parse("[outbound_pg]\nmax_connections = 20\n").map(|c| c.max_connections);
        assert_eq!(limit, Ok(Some(20)));
        assert_eq!(parse("").map(|c| c.max_connections), Ok(None));
    }

    /// With none, every request would wait in vain.
    #[test]
    fn a_limit_of_no_connections_is_refused() {
        let limit = parse("[outbound_pg]\nmax_connections = 0\n").map(|c| c.max_connections);
        assert!(limit.is_err_and(|error| error.starts_with("runtime-config.toml:2:")));
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        assert_eq!(
            parse("[outbound_pg]\n\n[key_value_store.default]\ntype = \"spin\"\n"),
            Err("runtime-config.toml:3:2: `key_value_store` is not supported by this runner; use `spin up`".into())
        );
        assert_eq!(
            parse("[outbound_pg]\npool = 1\n"),
            Err("runtime-config.toml:2:1: `outbound_pg.pool` is not supported by this runner; use `spin up`".into())
        );
    }
}
