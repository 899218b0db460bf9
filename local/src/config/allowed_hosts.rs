//! `allowed_outbound_hosts`: where a component may connect to, parsed and compared as Spin does. The comparison is
//! with what is written: `localhost` is not `127.0.0.1`, and a port is a number or the scheme's own.

use std::sync::Arc;

use url::Url;

use super::host_pattern::HostPattern;
use super::manifest::Component;
use super::template::Template;
use super::variables::Variables;

/// The list of one component. A template that resolves to nonsense makes every check fail, as on Spin.
#[derive(Clone)]
pub(crate) struct AllowedHosts {
    patterns: Arc<Result<Vec<HostPattern>, String>>,
}

impl AllowedHosts {
    /// Fails on an entry that is wrong as written; one that a variable spoils is kept for the checks.
    pub(crate) fn of(component: &Component, variables: &Variables) -> Result<AllowedHosts, String> {
        let (literal, templates): (Vec<_>, Vec<_>) =
            component.allowed_outbound_hosts.iter().partition(|template| template.is_literal());
        let mut patterns = literal
            .into_iter()
            .map(|template| HostPattern::parse(&resolve(template, variables)?))
            .collect::<Result<Vec<_>, _>>()?;
        let from_variables = templates
            .into_iter()
            .map(|template| resolve(template, variables))
            // An empty variable switches an optional endpoint off.
            .filter(|text| !matches!(text.as_deref(), Ok("" | "http://" | "https://")))
            .map(|text| HostPattern::parse(&text?))
            .collect::<Result<Vec<_>, _>>();
        Ok(AllowedHosts {
            patterns: Arc::new(from_variables.map(|more| {
                patterns.extend(more);
                patterns
            })),
        })
    }

    /// Whether `scheme://authority` may be reached. `Err` when the list itself is unusable.
    pub(crate) fn check(&self, scheme: &str, authority: &str) -> Result<bool, String> {
        let patterns = self.patterns.as_ref().as_ref().map_err(Clone::clone)?;
        let Ok(url) = Url::parse(&format!("{scheme}://{authority}")) else {
            return Ok(false);
        };
        let Some(host) = url.host_str() else {
            return Ok(false);
        };
        Ok(patterns.iter().any(|pattern| pattern.allows(scheme, host, url.port())))
    }
}

fn resolve(template: &Template, variables: &Variables) -> Result<String, String> {
    template.resolve(|name| variables.get(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::manifest::{Manifest, Variable};

    fn allowed(hosts: &[&str], variables: &[(&str, &str)]) -> Result<AllowedHosts, String> {
        let component = Component {
            source: "api.wasm".into(),
            variables: BTreeMap::new(),
            allowed_outbound_hosts: hosts
                .iter()
                .map(|host| Template::parse(host).expect("template"))
                .collect(),
            key_value_stores: vec![],
            build: None,
        };
        let manifest = Manifest {
            name: "app".into(),
            version: None,
            dir: ".".into(),
            variables: variables
                .iter()
                .map(|(name, value)| {
                    let default = Some((*value).to_owned());
                    ((*name).to_owned(), Variable { default, secret: false })
                })
                .collect(),
            routes: vec![],
            components: BTreeMap::new(),
        };
        let variables = Variables::resolve(&manifest, &BTreeMap::new(), |_| None);
        AllowedHosts::of(&component, &variables.expect("variables"))
    }

    #[test]
    fn the_check_is_literal() {
        let hosts = [
            "postgres://*.neon.tech:5432",
            "postgres://{{ host }}:{{ port }}",
            "https://{{ unset }}",
            "{{ unset }}",
        ];
        let variables = [("host", "127.0.0.1"), ("port", "54388"), ("unset", "")];
        let allowed = allowed(&hosts, &variables).expect("list");
        let table = [
            ("ep-x.eu-central-1.aws.neon.tech:5432", true),
            ("ep-x-pooler.neon.tech", true),
            ("neon.tech:5432", false),
            ("evilneon.tech:5432", false),
            ("ep-x.neon.tech:5433", false),
            ("127.0.0.1:54388", true),
            ("localhost:54388", false),
            ("127.0.0.1:5432", false),
            ("127.0.0.1", false),
            ("::1:5432", false),
        ];
        for (authority, expected) in table {
            assert_eq!(allowed.check("postgres", authority), Ok(expected), "{authority}");
        }
        assert_eq!(allowed.check("http", "127.0.0.1:54388"), Ok(false));
    }

    #[test]
    fn an_entry_wrong_as_written_is_refused_at_once() {
        assert!(allowed(&["127.0.0.1:5432"], &[]).is_err());
    }

    #[test]
    fn an_entry_that_a_variable_spoils_fails_the_check() {
        let allowed = allowed(&["postgres://{{ host }}:5432"], &[("host", "zoinks, Scooby!")]);
        let checked = allowed.expect("list").check("postgres", "127.0.0.1:5432");
        assert!(checked.is_err());
    }
}
