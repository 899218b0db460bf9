//! Reads `spin.toml` (manifest version 2), with the rules of Spin. What `local` does not support is an error.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::host_pattern::HostPattern;
use super::routes::Route;
use super::source::Source;
use super::template::Template;
use crate::error::{Error, list};

/// The only key-value store here, and the only one that needs no configuration on Spin.
pub(crate) const DEFAULT_STORE: &str = "default";

/// The application as its manifest describes it.
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    /// The folder that relative paths are relative to.
    pub(crate) dir: PathBuf,
    pub(crate) variables: BTreeMap<String, Variable>,
    /// Public routes, in order.
    pub(crate) routes: Vec<Route>,
    pub(crate) components: BTreeMap<String, Component>,
    pub(super) source: Source,
}

/// An application variable.
pub(crate) struct Variable {
    /// The value if nothing provides one; `None` for a required variable.
    pub(super) default: Option<String>,
    /// Its name in the manifest.
    pub(super) span: Range<usize>,
}

/// A component of the application.
pub(crate) struct Component {
    /// The WebAssembly file.
    pub(crate) source: PathBuf,
    /// The variables that the component can read.
    pub(super) variables: BTreeMap<String, Template>,
    pub(super) allowed_outbound_hosts: Vec<Template>,
    /// Permission to open the default key-value store.
    pub(crate) key_value_store: bool,
    pub(crate) build: Option<Build>,
}

/// The build of a component.
pub(crate) struct Build {
    /// Shell commands, one after the other.
    pub(crate) commands: Vec<String>,
    pub(crate) workdir: PathBuf,
}

impl Manifest {
    pub(crate) fn load(path: &Path) -> Result<Manifest, Error> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
        Manifest::parse(Source::read(&path)?, dir)
    }

    /// A manifest with these tables besides those that every manifest has.
    #[cfg(test)]
    pub(crate) fn of(tables: &str) -> Manifest {
        let text = format!(
            "spin_manifest_version = 2\napplication = {{ name = 'app' }}\ntrigger = {{}}\n{tables}"
        );
        Manifest::parse(Source::new("spin.toml", text), "/app".into()).expect("a manifest")
    }

    pub(super) fn parse(source: Source, dir: PathBuf) -> Result<Manifest, Error> {
        let raw: Raw = source
            .parse()
            .map_err(|error| error.with_hint("see https://spinframework.dev/manifest-reference"))?;
        if *raw.spin_manifest_version.get_ref() != 2 {
            let message = "`spin_manifest_version` must be 2";
            return Err(source.error(raw.spin_manifest_version.span(), message));
        }
        let reader = Reader { source: &source, dir: &dir };
        let variables = raw
            .variables
            .into_iter()
            .map(|(name, variable)| Ok((reader.id(&name, '_')?, reader.variable(&name, variable)?)))
            .collect::<Result<_, Error>>()?;
        let components = raw
            .component
            .into_iter()
            .map(|(id, component)| {
                Ok((reader.id(&id, '-')?, reader.component(component, &variables)?))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let routes = reader.routes(raw.trigger.http, &components)?;
        let RawApplication { name, version, .. } = raw.application;
        Ok(Manifest { name, version, dir, variables, routes, components, source })
    }
}

/// The public routes of the application with this manifest, in its order.
pub fn public_routes(manifest: &Path) -> Result<Vec<Route>, Error> {
    Manifest::load(manifest).map(|manifest| manifest.routes)
}

// A name that begins with `_` is checked for its type and not used.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    spin_manifest_version: Spanned<i64>,
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, RawVariable>,
    trigger: RawTriggers,
    #[serde(default)]
    component: BTreeMap<Spanned<String>, RawComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApplication {
    name: String,
    version: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "authors")]
    _authors: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(rename = "secret")]
    _secret: Option<bool>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTriggers {
    #[serde(default)]
    http: Vec<RawTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrigger {
    route: Spanned<RawRoute>,
    component: Spanned<TextOrTable>,
    #[serde(rename = "id")]
    _id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawRoute {
    Pattern(String),
    Private { private: bool },
}

/// A value that can be a table on Spin, but not here.
#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrTable {
    Text(String),
    Table(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComponent {
    source: Spanned<TextOrTable>,
    #[serde(default)]
    variables: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<Spanned<String>>,
    #[serde(default)]
    key_value_stores: Vec<Spanned<String>>,
    build: Option<RawBuild>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBuild {
    command: RawCommand,
    workdir: Option<String>,
    #[serde(rename = "watch")]
    _watch: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawCommand {
    One(String),
    Many(Vec<String>),
}

/// Converts the raw tables, with the checks that types cannot express.
struct Reader<'m> {
    source: &'m Source,
    dir: &'m Path,
}

impl Reader<'_> {
    /// An identifier: words of lower-case letters and digits. Spin also takes `KEBAB-CASE` for a component.
    fn id(&self, id: &Spanned<String>, delimiter: char) -> Result<String, Error> {
        let is_word = |word: &str| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if id.get_ref().split(delimiter).all(is_word) {
            return Ok(id.get_ref().clone());
        }
        let message = format!("`{}` is not an identifier", id.get_ref());
        Err(self.source.error(id.span(), message).with_hint(format!(
            "use words of lower-case letters and digits that begin with a letter, with `{delimiter}` between them"
        )))
    }

    fn text(
        &self,
        value: Spanned<TextOrTable>,
        unsupported: &str,
    ) -> Result<Spanned<String>, Error> {
        let span = value.span();
        match value.into_inner() {
            TextOrTable::Text(text) => Ok(Spanned::new(span, text)),
            TextOrTable::Table(_) => Err(self
                .source
                .unsupported(span, format!("{unsupported} is not supported by `local`"))),
        }
    }

    fn variable(&self, name: &Spanned<String>, raw: RawVariable) -> Result<Variable, Error> {
        let hint = match (raw.required, raw.default.is_some()) {
            (true, true) => "remove `default`, or `required = true`",
            (false, false) => "add `required = true`, or a `default`",
            _ => return Ok(Variable { default: raw.default, span: name.span() }),
        };
        let message =
            format!("variable `{}` must be either required or have a default", name.get_ref());
        Err(self.source.error(name.span(), message).with_hint(hint))
    }

    fn component(
        &self,
        raw: RawComponent,
        application: &BTreeMap<String, Variable>,
    ) -> Result<Component, Error> {
        let file = self.text(raw.source, "a `source` that is a table")?;
        if let Some(label) =
            raw.key_value_stores.iter().find(|label| label.get_ref() != DEFAULT_STORE)
        {
            let message = format!(
                "the key-value store `{}` is not supported by `local`: only `{DEFAULT_STORE}` is",
                label.get_ref()
            );
            return Err(self.source.unsupported(label.span(), message));
        }
        let template = |text: &Spanned<String>| self.template(text, application);
        Ok(Component {
            source: self.dir.join(file.get_ref()),
            variables: raw
                .variables
                .iter()
                .map(|(name, value)| Ok((self.id(name, '_')?, template(value)?)))
                .collect::<Result<_, Error>>()?,
            allowed_outbound_hosts: raw
                .allowed_outbound_hosts
                .iter()
                .map(|host| self.allowed_host(host, template(host)?, application))
                .collect::<Result<_, Error>>()?,
            key_value_store: !raw.key_value_stores.is_empty(),
            build: raw.build.map(|build| Build {
                commands: match build.command {
                    RawCommand::One(command) => vec![command],
                    RawCommand::Many(commands) => commands,
                },
                workdir: self.dir.join(build.workdir.unwrap_or_default()),
            }),
        })
    }

    fn template(
        &self,
        text: &Spanned<String>,
        application: &BTreeMap<String, Variable>,
    ) -> Result<Template, Error> {
        let template = Template::parse(text.get_ref())
            .map_err(|reason| self.source.error(text.span(), reason))?;
        if let Some(name) = template.variables().find(|name| !application.contains_key(*name)) {
            let error = self.source.error(text.span(), format!("unknown variable `{name}`"));
            return Err(error.with_hint("declare it in `[variables]`"));
        }
        Ok(template)
    }

    /// Checks an entry with the defaults of its variables, as Spin does before it knows their values.
    fn allowed_host(
        &self,
        text: &Spanned<String>,
        template: Template,
        application: &BTreeMap<String, Variable>,
    ) -> Result<Template, Error> {
        let default = |name: &str| application.get(name)?.default.as_deref();
        if template.variables().all(|name| default(name).is_some()) {
            HostPattern::from_template(&template, default).map_err(|reason| {
                let hint = "write `scheme://host:port`; each of the three may be `*`";
                self.source.error(text.span(), reason).with_hint(hint)
            })?;
        }
        Ok(template)
    }

    fn routes(
        &self,
        triggers: Vec<RawTrigger>,
        components: &BTreeMap<String, Component>,
    ) -> Result<Vec<Route>, Error> {
        let mut routes: Vec<Route> = Vec::new();
        for trigger in triggers {
            let id = self.text(trigger.component, "a component inside a trigger")?;
            if !components.contains_key(id.get_ref()) {
                let ids: Vec<_> = components.keys().collect();
                let message = format!("there is no component `{}`", id.get_ref());
                let hint = format!("the components of this manifest: {}", list(&ids));
                return Err(self.source.error(id.span(), message).with_hint(hint));
            }
            let span = trigger.route.span();
            let pattern = match trigger.route.into_inner() {
                RawRoute::Pattern(pattern) => pattern,
                RawRoute::Private { private: true } => continue,
                RawRoute::Private { private: false } => {
                    let message = "`route` must be a pattern or `{ private = true }`";
                    return Err(self.source.error(span, message));
                }
            };
            let route = Route { pattern, component: id.into_inner() };
            if route.has_pattern_segment() {
                let message =
                    "a route with `:name`, or `*` before its end, is not supported by `local`";
                return Err(self.source.unsupported(span, message));
            }
            if routes.iter().any(|other| other.pattern == route.pattern) {
                let message = format!("route `{}` is given twice", route.pattern);
                return Err(self.source.error(span, message).with_hint("remove one of the two"));
            }
            routes.push(route);
        }
        Ok(routes)
    }
}

#[cfg(test)]
mod tests;
