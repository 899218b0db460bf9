//! Values of application variables, and what of them each component sees.

use std::collections::BTreeMap;

use super::manifest::{Component, Manifest};
use super::template::{Template, check_name};
use crate::error::Error;

/// The value of every application variable.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, String>,
}

/// The variables of one component: a template for each, filled in when it is read.
pub(crate) struct ComponentVariables {
    component: String,
    templates: BTreeMap<String, Template>,
    values: BTreeMap<String, String>,
}

/// Why a component does not get a variable; the cases of `spin:variables`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The name breaks the rule for names.
    InvalidName(String),
    /// The component's table does not have it.
    Undefined(String),
    /// A template cannot be filled in.
    Other(String),
}

impl Variables {
    /// Takes each variable from `given`, else from the environment (`SPIN_VARIABLE_<NAME>`), else from its
    /// default. Fails with the names of the required variables that have no value, and of those given that the
    /// manifest does not know.
    pub(crate) fn resolve(
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Variables, Error> {
        let unknown: Vec<_> =
            given.keys().filter(|name| !manifest.variables.contains_key(*name)).cloned().collect();
        if !unknown.is_empty() {
            return Err(Error::UnknownVariables(unknown));
        }
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            let value = given
                .get(name)
                .cloned()
                .or_else(|| environment(&environment_name(name)))
                .or_else(|| variable.default.clone());
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(name.clone()),
            }
        }
        if missing.is_empty() {
            Ok(Variables { values })
        } else {
            Err(Error::MissingVariables(missing))
        }
    }

    /// The value of a variable of the manifest.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// What this component sees.
    pub(crate) fn for_component(&self, id: &str, component: &Component) -> ComponentVariables {
        ComponentVariables {
            component: id.to_owned(),
            templates: component.variables.clone(),
            values: self.values.clone(),
        }
    }
}

impl ComponentVariables {
    /// The value of a variable as the component asks for it.
    pub(crate) fn get(&self, name: &str) -> Result<String, Refusal> {
        check_name(name).map_err(Refusal::InvalidName)?;
        let template = self.templates.get(name).ok_or_else(|| {
            Refusal::Undefined(format!("no variable for {:?}.{name:?}", self.component))
        })?;
        template.resolve(|name| self.values.get(name).map(String::as_str)).map_err(Refusal::Other)
    }
}

/// The environment variable that gives a variable its value.
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::manifest::Variable;

    fn manifest() -> Manifest {
        let component = Component {
            source: "api.wasm".into(),
            variables: BTreeMap::from([(
                "url".to_owned(),
                Template::parse("pg://{{ host }}/x").expect("template"),
            )]),
            allowed_outbound_hosts: vec![],
            key_value_stores: vec![],
            build: None,
        };
        let variable =
            |default: Option<&str>| Variable { default: default.map(str::to_owned), secret: false };
        Manifest {
            name: "app".into(),
            version: None,
            dir: ".".into(),
            variables: BTreeMap::from([
                ("host".to_owned(), variable(None)),
                ("size".to_owned(), variable(Some("10"))),
            ]),
            routes: vec![],
            components: BTreeMap::from([("api".to_owned(), component)]),
        }
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn given_wins_over_environment_and_environment_over_default() {
        let environment = |name: &str| (name == "SPIN_VARIABLE_SIZE").then(|| "20".to_owned());
        let given = map(&[("host", "db")]);
        let variables = Variables::resolve(&manifest(), &given, environment).expect("variables");
        assert_eq!(variables.get("host"), Some("db"));
        assert_eq!(variables.get("size"), Some("20"));
        let given = map(&[("host", "db"), ("size", "30")]);
        let variables = Variables::resolve(&manifest(), &given, environment).expect("variables");
        assert_eq!(variables.get("size"), Some("30"));
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let missing = Variables::resolve(&manifest(), &BTreeMap::new(), |_| None);
        assert!(matches!(missing, Err(Error::MissingVariables(names)) if names == ["host"]));
    }

    #[test]
    fn a_given_variable_that_the_manifest_lacks_is_named() {
        let given = map(&[("host", "db"), ("nobody", "x")]);
        let unknown = Variables::resolve(&manifest(), &given, |_| None);
        assert!(matches!(unknown, Err(Error::UnknownVariables(names)) if names == ["nobody"]));
    }

    #[test]
    fn a_component_sees_its_own_table_only() {
        let manifest = manifest();
        let given = map(&[("host", "db")]);
        let variables = Variables::resolve(&manifest, &given, |_| None).expect("variables");
        let seen = variables.for_component("api", &manifest.components["api"]);
        assert_eq!(seen.get("url").as_deref(), Ok("pg://db/x"));
        assert_eq!(
            seen.get("host"),
            Err(Refusal::Undefined("no variable for \"api\".\"host\"".into()))
        );
        assert!(matches!(seen.get("Host"), Err(Refusal::InvalidName(_))));
    }
}
