//! Sequences to alter.

use super::steps::Phase;
use super::{Plan, differs, get};
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::{name, qualified};
use crate::schema::catalog::{Object, ObjectId, Property, split_column};

pub(super) fn change<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let phase = Phase::AlterSequences;
    let alter = format!("alter sequence {}", name(id));
    let kind = get(to, Property::Type).unwrap_or("bigint");
    if differs(from, to, Property::Type) {
        plan.push(phase, id, format!("{alter} as {kind};"));
    }
    if differs(from, to, Property::Type) || differs(from, to, Property::Options) {
        let (before, now) = (get(from, Property::Options), get(to, Property::Options));
        let sql = format!("{alter} {}", counting(now).join(" "));
        if excludes_start(before, now) {
            plan.push_with(phase, id, "Counts from the start again.", format!("{sql} restart;"));
        } else {
            plan.push(phase, id, format!("{sql};"));
        }
    }
    if differs(from, to, Property::Persistence) {
        plan.push(phase, id, format!("{alter} set {};", persistence(from, to)));
    }
    if differs(from, to, Property::OwnedBy) {
        let owner = get(to, Property::OwnedBy).and_then(split_column);
        let owner = owner.map_or("none".to_owned(), |(schema, table, column)| {
            format!("{}.{}", qualified(schema.as_deref(), &table), quote(&column))
        });
        plan.push(phase, id, format!("{alter} owned by {owner};"));
    }
}

/// The new persistence of a sequence, whose old one differs.
pub(super) fn persistence<'a>(from: &Object, to: &'a Object) -> &'a str {
    // Nothing is said of the usual one.
    let other =
        if get(from, Property::Persistence) == Some("logged") { "unlogged" } else { "logged" };
    get(to, Property::Persistence).unwrap_or(other)
}

/// Everything that can be said of how a sequence counts: what `options` say, and else what is usual.
pub(super) fn counting(options: Option<&str>) -> Vec<String> {
    let limit = |clause: &str| match clause_of(options, clause) {
        Some(value) => format!("{clause} {value}"),
        None => format!("no {clause}"),
    };
    let or_one = |clause: &str| clause_of(options, clause).unwrap_or("1");
    let cycles = options.is_some_and(|options| options.split(' ').any(|word| word == "cycle"));
    vec![
        format!("increment by {}", or_one("increment by")),
        limit("minvalue"),
        limit("maxvalue"),
        format!("start with {}", start(options)),
        format!("cache {}", or_one("cache")),
        if cycles { "cycle".to_owned() } else { "no cycle".to_owned() },
    ]
}

/// Value of an option of a sequence, such as `minvalue`.
fn clause_of<'a>(options: Option<&'a str>, clause: &str) -> Option<&'a str> {
    let (_, rest) = options?.split_once(clause)?;
    rest.trim_start().split(' ').next()
}

/// Default start of a sequence: its lowest value or, counting down, its highest.
fn start(options: Option<&str>) -> &str {
    let falls = clause_of(options, "increment by").is_some_and(|step| step.starts_with('-'));
    let (limit, usual) = if falls { ("maxvalue", "-1") } else { ("minvalue", "1") };
    clause_of(options, "start with").or_else(|| clause_of(options, limit)).unwrap_or(usual)
}

/// True if the old start of a sequence is outside of its new range.
fn excludes_start(before: Option<&str>, now: Option<&str>) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let falls = clause_of(now, "increment by").is_some_and(|step| step.starts_with('-'));
    let lowest =
        clause_of(now, "minvalue").and_then(number).unwrap_or(if falls { i64::MIN } else { 1 });
    let highest =
        clause_of(now, "maxvalue").and_then(number).unwrap_or(if falls { -1 } else { i64::MAX });
    number(start(before)).is_some_and(|start| start < lowest || start > highest)
}

#[cfg(test)]
mod tests {
    use super::counting;

    #[test]
    fn a_sequence_is_told_everything() {
        assert_eq!(
            counting(Some("start with 5 increment by 2 cycle")).join(" "),
            "increment by 2 no minvalue no maxvalue start with 5 cache 1 cycle"
        );
        assert_eq!(
            counting(None).join(" "),
            "increment by 1 no minvalue no maxvalue start with 1 cache 1 no cycle"
        );
    }
}
