//! `{{ variable }}` templates.

/// A string in which `{{ name }}` stands for an application variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Fails on a `{{` without `}}`.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (name, after) =
                tail.split_once("}}").ok_or_else(|| "unmatched '{{' in template".to_owned())?;
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template { parts })
    }

    /// The names of its variables, in order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// Returns true if it has no variable.
    pub(super) fn is_literal(&self) -> bool {
        self.variables().next().is_none()
    }

    /// Fills in the variables. Fails at the first that `value_of` does not know.
    pub(super) fn resolve<'v>(
        &self,
        value_of: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Variable(name) => text
                    .push_str(value_of(name).ok_or_else(|| format!("unknown variable {name:?}"))?),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_fills_in_its_variables() {
        let template = Template::parse("postgres://{{ host }}:{{port}}").expect("template");
        let value_of = |name: &str| match name {
            "host" => Some("db.example"),
            "port" => Some("5432"),
            _ => None,
        };
        assert_eq!(template.resolve(value_of).as_deref(), Ok("postgres://db.example:5432"));
        assert_eq!(template.variables().collect::<Vec<_>>(), ["host", "port"]);
    }

    #[test]
    fn a_template_without_braces_is_literal() {
        let template = Template::parse("postgres://*.neon.tech:5432").expect("template");
        assert!(template.is_literal());
        assert_eq!(template.resolve(|_| None).as_deref(), Ok("postgres://*.neon.tech:5432"));
    }

    #[test]
    fn an_open_brace_is_refused() {
        assert!(Template::parse("{{ matched }} {{ unmatched").is_err());
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let template = Template::parse("{{ missing }}").expect("template");
        assert_eq!(template.resolve(|_| None), Err("unknown variable \"missing\"".to_owned()));
    }
}
