//! Numbers and lists in messages.

/// Maximum number of names in a list.
const SHOWN: usize = 4;

/// The names, separated by commas.
pub(crate) fn names(names: &[impl ToString]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// `1 problem`, `2 problems`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// `a`, `a and b`, `a, b and c`; of many the first few and their number.
pub(crate) fn list(names: &[String]) -> String {
    let shown = if names.len() > SHOWN { &names[..SHOWN - 1] } else { names };
    let more = names.len() - shown.len();
    match (shown, more) {
        ([only], 0) => only.clone(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{count, list};

    #[test]
    fn counts_have_real_plurals() {
        assert_eq!(
            [0, 1, 2].map(|number| count(number, "migration")),
            ["0 migrations", "1 migration", "2 migrations"]
        );
    }

    #[test]
    fn lists_of_names_stay_short() {
        for (number, text) in [
            (1, "a"),
            (2, "a and b"),
            (3, "a, b and c"),
            (4, "a, b, c and d"),
            (6, "a, b, c and 3 more"),
        ] {
            let names: Vec<String> = ('a'..).take(number).map(String::from).collect();
            assert_eq!(list(&names), text);
        }
    }
}
