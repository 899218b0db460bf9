//! Values of application variables, and those that each component can read.

use std::collections::BTreeMap;

use super::manifest::{Component, Manifest};
use super::template::Template;
use crate::error::{Error, ErrorKind, list};

/// The value of every application variable.
#[derive(Clone)]
pub(crate) struct Variables {
    values: BTreeMap<String, String>,
}

/// The variables of one component: a template for each, filled in when it is read.
pub(crate) struct ComponentVariables {
    component: String,
    templates: BTreeMap<String, Template>,
    values: BTreeMap<String, String>,
}

/// A component cannot read a variable; the cases of `spin:variables`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum VariableError {
    InvalidName(String),
    Undefined(String),
    Other(String),
}

impl Variables {
    /// Takes each variable from `given`, else from the environment (`SPIN_VARIABLE_<NAME>`), else its default.
    /// Fails with the names of all
    /// required variables without a value, and of all given ones that the manifest does not have.
    pub(crate) fn resolve(
        manifest: &Manifest,
        given: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Variables, Error> {
        let unknown = given.keys().filter(|name| !manifest.variables.contains_key(*name));
        let unknown: Vec<_> = unknown.collect();
        if !unknown.is_empty() {
            let message = format!("not a variable of spin.toml: {}", list(&unknown));
            let hint = "declare it in `[variables]`";
            return Err(Error::new(ErrorKind::Config, message).with_hint(hint));
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
                None => missing.push(name),
            }
        }
        let Some(first) = missing.first() else {
            return Ok(Variables { values });
        };
        let message = format!("required but not set: {}", list(&missing));
        let names: Vec<_> = missing.iter().map(|name| environment_name(name)).collect();
        let hint = format!("in the environment, set {}", list(&names));
        let span = manifest.variables[*first].span.clone();
        Err(manifest.source.error(span, message).with_hint(hint))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The variables that this component can read.
    pub(crate) fn for_component(&self, id: &str, component: &Component) -> ComponentVariables {
        ComponentVariables {
            component: id.to_owned(),
            templates: component.variables.clone(),
            values: self.values.clone(),
        }
    }
}

impl ComponentVariables {
    pub(crate) fn get(&self, name: &str) -> Result<String, VariableError> {
        check_name(name).map_err(VariableError::InvalidName)?;
        let template = self.templates.get(name).ok_or_else(|| {
            VariableError::Undefined(format!("no variable for {:?}.{name:?}", self.component))
        })?;
        template
            .resolve(|name| self.values.get(name).map(String::as_str))
            .map_err(VariableError::Other)
    }
}

/// The environment variable that gives a variable its value.
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

/// Checks the name of a variable that a component reads, with Spin's rule and error texts.
fn check_name(name: &str) -> Result<(), String> {
    let odd = name.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_'));
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(odd) = odd {
        format!(
            "invalid character {odd:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        )
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit".to_owned()
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("{name:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: [(&str, &str); 2] = [("host", "db"), ("port", "5432")];

    fn manifest() -> Manifest {
        Manifest::of(
            "[variables]
            host = { required = true }
            port = { required = true }
            size = { default = '10' }
            [component.api]
            source = 'api.wasm'
            variables = { url = 'pg://{{ host }}/x' }",
        )
    }

    fn resolve(
        given: &[(&str, &str)],
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Variables, Error> {
        let given = given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Variables::resolve(&manifest(), &given, environment)
    }

    #[test]
    fn given_wins_over_environment_and_environment_over_default() {
        let environment = |name: &str| (name == "SPIN_VARIABLE_SIZE").then(|| "20".to_owned());
        let variables = resolve(&GIVEN, environment).expect("variables");
        assert_eq!(variables.get("host"), Some("db"));
        assert_eq!(variables.get("size"), Some("20"));
        let given = [GIVEN[0], GIVEN[1], ("size", "30")];
        let variables = resolve(&given, environment).expect("variables");
        assert_eq!(variables.get("size"), Some("30"));
    }

    #[test]
    fn required_variables_without_a_value_are_named() {
        let error = resolve(&[], |_| None).err().expect("an error");
        assert_eq!(error.to_string(), "spin.toml:5:13: required but not set: `host`, `port`");
        assert_eq!(
            error.hint(),
            Some("in the environment, set `SPIN_VARIABLE_HOST`, `SPIN_VARIABLE_PORT`")
        );
    }

    #[test]
    fn a_given_variable_that_the_manifest_lacks_is_named() {
        let error = resolve(&[("missing", "x")], |_| None).err().expect("an error");
        assert_eq!(error.to_string(), "not a variable of spin.toml: `missing`");
    }

    #[test]
    fn a_component_reads_its_own_variables_only() {
        let variables = resolve(&GIVEN, |_| None).expect("variables");
        let variables = variables.for_component("api", &manifest().components["api"]);
        assert_eq!(variables.get("url").as_deref(), Ok("pg://db/x"));
        let undefined = VariableError::Undefined("no variable for \"api\".\"host\"".into());
        assert_eq!(variables.get("host"), Err(undefined));
        assert!(matches!(variables.get("Host"), Err(VariableError::InvalidName(_))));
    }

    #[test]
    fn names_follow_the_rule() {
        for good in ["a", "database_url", "pool2", "x_1"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "A", "1a", "_a", "a_", "a__b", "a-b", "é"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
