//! `{{ variable }}` templates and the rule for variable names, as Spin has them.

/// A string in which `{{ name }}` stands for an application variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Fails on a `{{` that is never closed.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
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

    /// The variables that the template names, in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// True when there is nothing to fill in.
    pub(crate) fn is_literal(&self) -> bool {
        self.variables().next().is_none()
    }

    /// Fills in every variable, or names the first that `value_of` does not know.
    pub(crate) fn resolve<'v>(
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

/// Checks a variable's name with Spin's rule and in Spin's words: lower-case letters, digits and single
/// underscores, starting with a letter and not ending with an underscore.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
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
        let template = Template::parse("{{ nobody }}").expect("template");
        assert_eq!(template.resolve(|_| None), Err("unknown variable \"nobody\"".to_owned()));
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
