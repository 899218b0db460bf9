//! Reads `spin.toml` (manifest version 2): the one description of the application.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::routes::Route;
use super::source::Source;
use super::template::{Template, check_name};
use super::unsupported;
use crate::error::Error;

/// The one label that needs no configuration on Spin, and the only one here.
pub(crate) const DEFAULT_STORE: &str = "default";

/// The application as its manifest describes it.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// `application.name`.
    pub(crate) name: String,
    /// `application.version`, when given.
    pub(crate) version: Option<String>,
    /// The folder that relative paths are relative to.
    pub(crate) dir: PathBuf,
    /// Application variables by name.
    pub(crate) variables: BTreeMap<String, Variable>,
    /// Public routes, in order; private ones are left out.
    pub(crate) routes: Vec<Route>,
    /// Components by id.
    pub(crate) components: BTreeMap<String, Component>,
}

/// An application variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The value when nothing provides one; `None` for a required variable.
    pub(crate) default: Option<String>,
    /// Whether the value is kept out of listings.
    pub(crate) secret: bool,
}

/// A component of the application.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    /// The WebAssembly file.
    pub(crate) source: PathBuf,
    /// The variables that the component sees, and what each is made of.
    pub(crate) variables: BTreeMap<String, Template>,
    /// Where it may connect to.
    pub(crate) allowed_outbound_hosts: Vec<Template>,
    /// The key-value stores that it may open.
    pub(crate) key_value_stores: Vec<String>,
    /// How it is built, when the manifest says so.
    pub(crate) build: Option<Build>,
}

/// How a component is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    /// Shell commands, one after the other.
    pub(crate) commands: Vec<String>,
    /// Where they run.
    pub(crate) workdir: PathBuf,
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub(crate) fn load(path: &Path) -> Result<Manifest, Error> {
        let dir = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        Manifest::parse(&Source::read(path)?, dir)
    }

    fn parse(source: &Source, dir: PathBuf) -> Result<Manifest, Error> {
        unsupported::check(source)?;
        let raw: Raw = source.parse()?;
        if *raw.spin_manifest_version.get_ref() != 2 {
            return Err(source.error(
                Some(raw.spin_manifest_version.span()),
                "`spin_manifest_version` must be 2",
            ));
        }
        let variables = raw
            .variables
            .into_iter()
            .map(|(name, variable)| Ok((checked(source, &name)?, variable.check(source, &name)?)))
            .collect::<Result<_, Error>>()?;
        let components = raw
            .component
            .into_iter()
            .map(|(id, component)| {
                let component = component.check(source, &id, &dir, &variables)?;
                Ok((id, component))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let routes = public_routes(source, raw.trigger.http, &components)?;
        Ok(Manifest {
            name: raw.application.name,
            version: raw.application.version,
            dir,
            variables,
            routes,
            components,
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    spin_manifest_version: Spanned<i64>,
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, RawVariable>,
    #[serde(default)]
    trigger: RawTriggers,
    #[serde(default)]
    component: BTreeMap<String, RawComponent>,
}

#[derive(Deserialize)]
struct RawApplication {
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct RawVariable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
}

#[derive(Deserialize, Default)]
struct RawTriggers {
    #[serde(default)]
    http: Vec<RawTrigger>,
}

#[derive(Deserialize)]
struct RawTrigger {
    route: Spanned<RawRoute>,
    component: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawRoute {
    Pattern(String),
    Private { private: bool },
}

#[derive(Deserialize)]
struct RawComponent {
    source: String,
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    key_value_stores: Vec<Spanned<String>>,
    build: Option<RawBuild>,
}

#[derive(Deserialize)]
struct RawBuild {
    command: RawCommand,
    workdir: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawCommand {
    One(String),
    Many(Vec<String>),
}

impl RawVariable {
    /// A variable is either required or has a default, never both and never neither.
    fn check(self, source: &Source, name: &Spanned<String>) -> Result<Variable, Error> {
        let fault = match (self.required, self.default.is_some()) {
            (true, true) => "is required, so it cannot have a default",
            (false, false) => "must either be `required` or have a `default`",
            _ => {
                return Ok(Variable { default: self.default, secret: self.secret });
            }
        };
        let message = format!("`variables.{}` {fault}", name.get_ref());
        Err(source.error(Some(name.span()), message))
    }
}

impl RawComponent {
    fn check(
        self,
        source: &Source,
        id: &str,
        dir: &Path,
        application: &BTreeMap<String, Variable>,
    ) -> Result<Component, Error> {
        let variables = self
            .variables
            .into_iter()
            .map(|(name, value)| {
                let key = checked(source, &name)?;
                let owner = format!("component.{id}.variables.{key}");
                Ok((key, checked_template(source, &owner, &value, application)?))
            })
            .collect::<Result<_, Error>>()?;
        let owner = format!("component.{id}.allowed_outbound_hosts");
        let allowed_outbound_hosts = self
            .allowed_outbound_hosts
            .iter()
            .map(|host| checked_template(source, &owner, host, application))
            .collect::<Result<_, Error>>()?;
        let key_value_stores = self
            .key_value_stores
            .into_iter()
            .map(|label| checked_store(source, id, label))
            .collect::<Result<_, Error>>()?;
        let build = self.build.map(|build| Build {
            commands: match build.command {
                RawCommand::One(command) => vec![command],
                RawCommand::Many(commands) => commands,
            },
            workdir: dir.join(build.workdir.unwrap_or_default()),
        });
        Ok(Component {
            source: dir.join(self.source),
            variables,
            allowed_outbound_hosts,
            key_value_stores,
            build,
        })
    }
}

fn public_routes(
    source: &Source,
    triggers: Vec<RawTrigger>,
    components: &BTreeMap<String, Component>,
) -> Result<Vec<Route>, Error> {
    let mut routes: Vec<Route> = Vec::new();
    for trigger in triggers {
        let component = trigger.component.get_ref();
        if !components.contains_key(component) {
            let message = format!("there is no `component.{component}`");
            return Err(source.error(Some(trigger.component.span()), message));
        }
        let span = trigger.route.span();
        let pattern = match trigger.route.into_inner() {
            RawRoute::Pattern(pattern) => pattern,
            RawRoute::Private { private: true } => continue,
            RawRoute::Private { private: false } => {
                let message = "`route` must be a pattern or `{ private = true }`";
                return Err(source.error(Some(span), message));
            }
        };
        if routes.iter().any(|route| route.pattern == pattern) {
            let message = format!("route `{pattern}` is given twice");
            return Err(source.error(Some(span), message));
        }
        routes.push(Route { pattern, component: trigger.component.into_inner() });
    }
    Ok(routes)
}

fn checked(source: &Source, name: &Spanned<String>) -> Result<String, Error> {
    match check_name(name.get_ref()) {
        Ok(()) => Ok(name.get_ref().clone()),
        Err(reason) => Err(source.error(Some(name.span()), format!("variable {reason}"))),
    }
}

/// Spin has other stores too, once its runtime configuration says where they are.
fn checked_store(source: &Source, id: &str, label: Spanned<String>) -> Result<String, Error> {
    if label.get_ref() == DEFAULT_STORE {
        return Ok(label.into_inner());
    }
    let message = format!(
        "`component.{id}.key_value_stores`: this runner supports the store `{DEFAULT_STORE}` only, not `{}`; use `spin up`",
        label.get_ref()
    );
    Err(source.error(Some(label.span()), message))
}

fn checked_template(
    source: &Source,
    owner: &str,
    text: &Spanned<String>,
    application: &BTreeMap<String, Variable>,
) -> Result<Template, Error> {
    let fault = |reason: String| source.error(Some(text.span()), format!("`{owner}`: {reason}"));
    let template = Template::parse(text.get_ref()).map_err(fault)?;
    for name in template.variables() {
        if !application.contains_key(name) {
            return Err(fault(format!("unknown variable {name:?}")));
        }
    }
    Ok(template)
}

#[cfg(test)]
mod tests;
