//! Properties of every file name and first line: nothing panics, and what is accepted is what it looks like.

use property_cases::config;
use proptest::prelude::*;

use super::directive;
use super::file_name::{overlooked, parse_stem};

fn stem() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "V[0-9]{1,20}__[a-zA-Z0-9_]{1,12}",
        2 => "[VvU]?[0-9]{0,4}[_. -]{0,3}[a-z0-9_.é]{0,10}(\\.down|\\.up|\\.sql)?",
        1 => "\\PC{0,20}",
    ]
}

proptest! {
    #![proptest_config(config())]

    /// The form, once more and by other means.
    #[test]
    fn a_name_is_accepted_if_it_has_the_form(stem in stem()) {
        let expected = stem.strip_prefix('V').and_then(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let name = rest[digits.len()..].strip_prefix("__")?;
            let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
            let version = digits.parse::<u128>().ok().filter(|one| (1..=i64::MAX.unsigned_abs().into()).contains(one))?;
            is_name.then(|| (version, name.to_owned()))
        });
        match (parse_stem(&stem), expected) {
            (Ok(found), Some((version, name))) => {
                prop_assert_eq!(u128::try_from(found.version), Ok(version));
                prop_assert_eq!(&found.name, &name);
                let canonical = format!("V{}__{}", found.version, found.name);
                prop_assert_eq!(parse_stem(&canonical), Ok(found));
            }
            (Err(reason), None) => prop_assert!(!reason.is_empty()),
            (found, expected) => prop_assert!(false, "{:?}: {:?}, not {:?}", stem, found, expected),
        }
    }

    /// A name that the message proposes is a good one.
    #[test]
    fn a_proposed_name_is_accepted(stem in stem()) {
        let Err(reason) = parse_stem(&stem) else { return Ok(()) };
        let Some((_, proposal)) = reason.split_once("rename it to `") else { return Ok(()) };
        let proposal = proposal.trim_end_matches('`');
        let proposed = proposal.trim_end_matches(".sql").trim_end_matches(".down");
        let is_range = parse_stem(proposed).is_err_and(|reason| reason.contains("version"));
        prop_assert!(is_range || parse_stem(proposed).is_ok(), "{}: {}", stem, reason);
    }

    #[test]
    fn any_other_file_is_passed_over_or_named(names in prop::collection::vec("\\PC{0,12}(\\.[sS][qQ][lL])?", 0..4)) {
        for problem in overlooked(&names, &[]) {
            prop_assert!(names.iter().any(|name| problem.contains(name.as_str())), "{}", problem);
        }
    }

    #[test]
    fn any_first_line_is_read_or_refused(line in prop_oneof!["-- migrator:\\PC{0,30}", "\\PC{0,40}"], rest in "\\PC{0,20}") {
        let _ = directive::read(&format!("{line}\n{rest}"));
        let _ = directive::allowance(&line);
    }
}
