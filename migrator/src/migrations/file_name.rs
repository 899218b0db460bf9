//! The names of migration files, and names that only look like them: those are refused, because a
//! migration that is left out in silence is found in production.

use crate::model::MigrationName;

const FORM: &str = "not named like `V1__what_it_does.sql`";

/// Reads `V1__initial_schema`. Stricter than refinery about names, so that every name
/// accepted here works there.
pub(super) fn parse_stem(stem: &str) -> Result<MigrationName, String> {
    let misnamed = || Err(format!("{FORM}{}", reason(stem)));
    if stem.starts_with('U') && stem.contains("__") {
        return Err(
            "unversioned migrations are not supported; name it `V{version}__{name}.sql`".to_owned()
        );
    }
    let Some((version, name)) = stem.strip_prefix('V').and_then(|rest| rest.split_once("__"))
    else {
        return misnamed();
    };
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || !is_word(name) {
        return misnamed();
    }
    match version.parse() {
        Ok(0) => Err("versions count from 1".to_owned()),
        Ok(version) => Ok(MigrationName { version, name: name.to_owned() }),
        Err(_) => Err("the version is too large".to_owned()),
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What is wrong with a name, where it is clear which migration is meant.
fn reason(stem: &str) -> String {
    let rest = stem.trim().trim_start_matches(['V', 'v']);
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (version, rest) = rest.split_at(digits);
    if version.is_empty() {
        return String::new();
    }
    let (rest, is_undo) = match rest.rsplit_once('.') {
        Some((name, end))
            if end.eq_ignore_ascii_case("down") || end.eq_ignore_ascii_case("undo") =>
        {
            (name, true)
        }
        Some((name, end)) if end.eq_ignore_ascii_case("up") => (name, false),
        _ => (rest, false),
    };
    let words = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<&str> = words.map(|word| word.trim_matches('_')).collect();
    let name = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join("_");
    if name.is_empty() {
        return String::new();
    }
    let end = if is_undo { ".down.sql" } else { ".sql" };
    format!(": rename it to `V{version}__{name}{end}`")
}

/// Problems with the files of a folder that are not read, but look as if they should be. `scripts` are
/// the files that are read.
pub(super) fn overlooked(others: &[String], scripts: &[(String, String)]) -> Vec<String> {
    let is_script = |name: String| scripts.iter().any(|(script, _)| *script == name);
    let mut problems: Vec<String> = others
        .iter()
        .filter(|name| {
            let stem = match place_of_ending(name) {
                Some(end) => &name[..end],
                None => name.split('.').next().unwrap_or(name),
            };
            let same_but_for_case = name.len() == stem.len() + ENDING.len();
            // Such as an editor's copy of a script, or notes about it.
            let is_beside = !same_but_for_case && is_script(format!("{stem}{ENDING}"));
            looks_like_script(name) && !is_beside
        })
        .map(|name| {
            format!("`{name}`: is not read, because its name does not end in `.sql`, in lower case")
        })
        .collect();
    problems.sort();
    problems
}

const ENDING: &str = ".sql";

/// The offset of `.sql` in a name, whichever its case.
fn place_of_ending(name: &str) -> Option<usize> {
    name.to_ascii_lowercase().find(ENDING)
}

/// True for `V2__x` with any ending, and for any name with `.sql` in it. Hidden files are not meant.
fn looks_like_script(name: &str) -> bool {
    let version = name.trim_start().strip_prefix(['V', 'v']);
    let is_versioned = version.is_some_and(|rest| {
        let name = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        name.len() < rest.len() && name.contains('_')
    });
    !name.starts_with('.') && (is_versioned || place_of_ending(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::{overlooked, parse_stem};

    #[test]
    fn names_that_refinery_would_misread_are_refused() {
        for stem in [
            "",
            "V",
            "V1",
            "V1_a",
            "V1__",
            "V__a",
            "v1__a",
            "V-1__a",
            "V1.5__a",
            "V1__ä",
            "V1__a b",
            "U1__a",
            "V0__a",
            "V9999999999999999999__a",
        ] {
            assert!(parse_stem(stem).is_err(), "{stem}");
        }
    }

    #[test]
    fn timestamps_are_versions() {
        for version in [20_240_131_123_456, 20_240_131_123_456_789, i64::MAX] {
            let name = parse_stem(&format!("V{version}__a")).expect("a name");
            assert_eq!(name.version, version);
        }
    }

    #[test]
    fn the_right_name_is_proposed_where_it_is_clear() {
        for (stem, right) in [
            ("v2__add_it", "V2__add_it.sql"),
            ("V2_add_it", "V2__add_it.sql"),
            ("V2__add it", "V2__add_it.sql"),
            ("V2__add-it", "V2__add_it.sql"),
            (" V2__add_it", "V2__add_it.sql"),
            ("20240131123456_add_it", "V20240131123456__add_it.sql"),
            ("0001_add_it.up", "V0001__add_it.sql"),
            ("V2__add_it.Down", "V2__add_it.down.sql"),
        ] {
            let problem = parse_stem(stem).expect_err(stem);
            assert!(problem.ends_with(&format!(": rename it to `{right}`")), "{stem}: {problem}");
        }
    }

    #[test]
    fn files_that_look_like_scripts_are_not_passed_over() {
        let scripts = ["V1__a.sql", "V1__a.down.sql"];
        let scripts = scripts.map(|name| (name.to_owned(), String::new()));
        for (name, is_overlooked) in [
            ("V2__x.SQL", true),
            ("V2__x.Sql", true),
            ("V1__a.SQL", true),
            ("notes.SQL", true),
            ("V2__x.sql.txt", true),
            ("V2__x.sql.bak", true),
            ("V2__x.sql ", true),
            ("V2__x.psql", true),
            ("V2__x.txt", true),
            ("V2__x", true),
            ("v2_x", true),
            ("V1__a.sql.orig", false),
            ("V1__a.down.sql~", false),
            ("V1__a.md", false),
            (".V2__x.sql.swp", false),
            ("README.md", false),
            ("Vagrantfile", false),
            ("v2.md", false),
        ] {
            let problems = overlooked(&[name.to_owned()], &scripts);
            assert_eq!(!problems.is_empty(), is_overlooked, "{name}");
        }
    }
}
