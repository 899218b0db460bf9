//! `allowed_outbound_hosts`: where a component may connect to, by Spin's rules. Names are compared as they are
//! written: `localhost` is not `127.0.0.1`.

use std::sync::Arc;

use url::Url;

use super::host_pattern::HostPattern;
use super::manifest::Component;
use super::variables::Variables;

/// The list of one component. An entry that a variable's value makes invalid fails every check, as on Spin.
#[derive(Clone)]
pub(crate) struct AllowedHosts {
    patterns: Arc<Result<Vec<HostPattern>, String>>,
}

impl AllowedHosts {
    pub(crate) fn new(component: &Component, variables: &Variables) -> AllowedHosts {
        let patterns = component.allowed_outbound_hosts.iter().filter_map(|template| {
            HostPattern::from_template(template, |name| variables.get(name)).transpose()
        });
        AllowedHosts { patterns: Arc::new(patterns.collect()) }
    }

    /// Returns true if the component may connect to `scheme://authority`. Fails if an entry is invalid.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Manifest;

    fn allowed(hosts: &str, variables: &[(&str, &str)]) -> AllowedHosts {
        let required = variables.iter().map(|(name, _)| format!("{name}.required = true\n"));
        let required = required.collect::<Vec<_>>().concat();
        let manifest = Manifest::of(&format!(
            "[variables]\n{required}[component.api]\nsource = \"api.wasm\"\nallowed_outbound_hosts = {hosts}"
        ));
        let values =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let variables = Variables::resolve(&manifest, &values, |_| None).expect("variables");
        AllowedHosts::new(&manifest.components["api"], &variables)
    }

    #[test]
    fn the_check_is_literal() {
        let hosts = r#"[
            "postgres://*.neon.tech:5432",
            "postgres://{{ host }}:{{ port }}",
            "https://{{ unset }}",
            "{{ unset }}",
        ]"#;
        let variables = [("host", "127.0.0.1"), ("port", "54388"), ("unset", "")];
        let allowed = allowed(hosts, &variables);
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
    fn an_entry_that_a_variable_makes_invalid_fails_every_check() {
        let hosts = r#"["postgres://{{ host }}:5432"]"#;
        let allowed = allowed(hosts, &[("host", "zoinks, Scooby!")]);
        assert!(allowed.check("postgres", "127.0.0.1:5432").is_err());
    }
}
