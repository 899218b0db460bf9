//! Properties of every manifest, template, pattern and path: nothing panics, and an error says where.

use std::path::PathBuf;

use property_cases::config;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::host_pattern::HostPattern;
use super::manifest::Manifest;
use super::routes::{Route, Router};
use super::source::Source;
use super::template::Template;

/// The one of this repository.
const MANIFEST: &str = include_str!("../../../spin.toml");

/// The manifest after some changes of its characters and lines.
fn changed() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "\\PC{0,4}",
        select(vec!["\"", "[", "]", "{{", "}}", "=", "\n", "[x]", "x = 1\n"])
            .prop_map(str::to_owned)
    ];
    let change = (any::<Index>(), 0_usize..30, text);
    prop::collection::vec(change, 1..4).prop_map(|changes| {
        let mut manifest: Vec<char> = MANIFEST.chars().collect();
        for (at, removed, text) in changes {
            let from = at.index(manifest.len() + 1);
            let to = (from + removed).min(manifest.len());
            manifest.splice(from..to, text.chars());
        }
        manifest.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_changed_manifest_is_read_or_refused_with_a_place(text in changed()) {
        if let Err(error) = Manifest::parse(Source::new("spin.toml", text), PathBuf::from("/app")) {
            let message = error.to_string();
            let place = message.strip_prefix("spin.toml:").and_then(|rest| rest.split(':').next());
            prop_assert!(place.is_some_and(|line| line.parse::<usize>().is_ok()), "{}", message);
        }
    }

    /// A template that is written out of its parts is read as those parts.
    #[test]
    fn a_template_is_read_as_it_was_written(parts in prop::collection::vec(("[^{}]{0,6}", "[a-z_]{1,6}"), 0..4)) {
        let text = parts.iter().map(|(text, name)| format!("{text}{{{{ {name} }}}}"));
        let text = text.collect::<Vec<_>>().concat();
        let template = Template::parse(&text).expect("a template");
        let names: Vec<&str> = parts.iter().map(|(_, name)| name.as_str()).collect();
        prop_assert_eq!(template.variables().collect::<Vec<_>>(), names);
        let filled = parts.iter().flat_map(|(text, _)| [text.as_str(), "!"]).collect::<String>();
        prop_assert_eq!(template.resolve(|_| Some("!")), Ok(filled));
    }

    #[test]
    fn any_template_is_read_or_refused(text in "[a-z{} ]{0,20}|\\PC{0,20}") {
        let _ = Template::parse(&text).map(|template| template.resolve(|_| None));
    }

    #[test]
    fn a_literal_entry_allows_itself_only(host in "[a-z]{1,6}(\\.[a-z]{2,4}){1,2}", port in 1_u16.., other in 1_u16..) {
        let template = Template::parse(&format!("postgres://{host}:{port}")).expect("a template");
        let pattern = HostPattern::from_template(&template, |_| None).expect("a pattern").expect("a host");
        prop_assert!(pattern.allows("postgres", &host, Some(port)));
        prop_assert_eq!(pattern.allows("postgres", &host, Some(other)), port == other);
        prop_assert!(!pattern.allows("http", &host, Some(port)));
        let longer = format!("x.{host}");
        prop_assert!(!pattern.allows("postgres", &longer, Some(port)));
    }

    #[test]
    fn any_entry_is_read_or_refused(text in "[a-z*:/.\\[\\]0-9-]{0,24}|\\PC{0,16}", host in "[a-z.]{0,8}") {
        if let Ok(template) = Template::parse(&text)
            && let Ok(Some(pattern)) = HostPattern::from_template(&template, |_| None)
        {
            let _ = pattern.allows("postgres", &host, None);
        }
    }

    #[test]
    fn any_path_has_the_catch_all_route(path in "/[ -~]{0,30}|/\\PC{0,12}|[a-z/.%]{0,20}") {
        let route = |pattern: &str| Route { pattern: pattern.into(), component: pattern.into() };
        let router = Router::new(vec![route("/..."), route("/docs/..."), route("/docs")]);
        let found = router.find(&path).map(|found| found.route.pattern.clone());
        let is_docs = path == "/docs" || path.starts_with("/docs/");
        prop_assert_eq!(found.as_deref().is_some_and(|pattern| pattern.starts_with("/docs")), is_docs, "{}", path);
    }
}
