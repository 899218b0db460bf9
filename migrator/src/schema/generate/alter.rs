//! What stays and changes: labels of enumerated types, domains, sequences, columns, and what is said
//! of tables as a whole.

use super::columns::{self, Which};
use super::{Plan, differs, get};
use crate::schema::catalog::quoting::{Piece, lower, pieces, quote};
use crate::schema::catalog::render::{name, qualified, settings, table_name};
use crate::schema::catalog::{Kind, Object, ObjectId, Property, split_column};

pub(super) fn alter(plan: &mut Plan<'_>) {
    for (id, from, to) in plan.staying(&[Kind::Enum]) {
        // No undoing takes a label away, so that it may be there when this is run again.
        for clause in new_labels(from, to).unwrap_or_default() {
            plan.push(format!("alter type {} add value if not exists {clause};", name(id)));
        }
    }
    for (id, from, to) in plan.staying(&[Kind::Domain]) {
        domain(plan, id, from, to);
    }
    columns::add(plan, Which::Plain);
    columns::change(plan);
    columns::add(plan, Which::Computed);
    for (id, from, to) in plan.staying(&[Kind::Sequence]) {
        sequence(plan, id, from, to);
    }
    for (id, from, to) in plan.staying(&[Kind::Table]) {
        table(plan, id, from, to);
    }
    for (id, from, to) in plan.staying(&[Kind::Trigger]) {
        if differs(from, to, Property::Disabled) {
            if get(to, Property::Disabled).is_none() {
                let table = table_name(id);
                plan.push(format!("alter table {table} enable trigger {};", name(id)));
            }
            for statement in settings(id, to) {
                plan.push(statement);
            }
        }
    }
}

/// How `add value` goes on for each label that is new; none if an old one is missing or elsewhere.
pub(super) fn new_labels(from: &Object, to: &Object) -> Option<Vec<String>> {
    let (old, new) = (labels(from), labels(to));
    let mut remaining = old.iter().peekable();
    let mut clauses = Vec::new();
    let mut last: Option<&str> = None;
    for label in &new {
        if remaining.next_if_eq(&label).is_none() {
            clauses.push(match (last, old.first()) {
                (Some(last), _) => format!("{label} after {last}"),
                (None, Some(first)) => format!("{label} before {first}"),
                (None, None) => (*label).to_owned(),
            });
        }
        last = Some(label);
    }
    remaining.next().is_none().then_some(clauses)
}

/// The labels as literals.
fn labels(object: &Object) -> Vec<&str> {
    let list = get(object, Property::Labels).unwrap_or_default();
    let mut labels = Vec::new();
    let mut place = 0;
    let mut start = None;
    // A doubled quote is the end of one piece and the beginning of the next.
    for piece in pieces(list) {
        let (Piece::Plain(text) | Piece::Quoted(text)) = piece;
        match piece {
            Piece::Quoted(_) => start = start.or(Some(place)),
            Piece::Plain(_) => labels.extend(start.take().map(|start| &list[start..place])),
        }
        place += text.len();
    }
    labels.extend(start.map(|start| &list[start..]));
    labels
}

fn domain(plan: &mut Plan<'_>, id: &ObjectId, from: &Object, to: &Object) {
    let alter = format!("alter domain {}", name(id));
    if differs(from, to, Property::Default) {
        match get(to, Property::Default) {
            Some(default) => plan.push(format!("{alter} set default {};", lower(default))),
            None => plan.push(format!("{alter} drop default;")),
        }
    }
    match (get(from, Property::NotNull), get(to, Property::NotNull)) {
        (None, Some(_)) => plan.push(format!("{alter} set not null;")),
        (Some(_), None) => plan.push(format!("{alter} drop not null;")),
        _ => {}
    }
}

fn sequence(plan: &mut Plan<'_>, id: &ObjectId, from: &Object, to: &Object) {
    let alter = format!("alter sequence {}", name(id));
    let kind = get(to, Property::Type).unwrap_or("bigint");
    if differs(from, to, Property::Type) {
        plan.push(format!("{alter} as {kind};"));
    }
    if differs(from, to, Property::Type) || differs(from, to, Property::Options) {
        let (before, now) = (get(from, Property::Options), get(to, Property::Options));
        let sql = format!("{alter} {}", counting(now).join(" "));
        if excludes_start(before, now) {
            plan.push_with("Counts from the start again.", format!("{sql} restart;"));
        } else {
            plan.push(format!("{sql};"));
        }
    }
    if differs(from, to, Property::OwnedBy) {
        let owner = get(to, Property::OwnedBy).and_then(split_column);
        let owner = owner.map_or("none".to_owned(), |(schema, table, column)| {
            format!("{}.{}", qualified(schema.as_deref(), &table), quote(&column))
        });
        plan.push(format!("{alter} owned by {owner};"));
    }
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

/// What is said of a sequence, such as its `minvalue`.
fn clause_of<'a>(options: Option<&'a str>, clause: &str) -> Option<&'a str> {
    let (_, rest) = options?.split_once(clause)?;
    rest.trim_start().split(' ').next()
}

/// Where a sequence starts, if nothing is said of it: at its lowest or, counting down, its highest.
fn start(options: Option<&str>) -> &str {
    let falls = clause_of(options, "increment by").is_some_and(|step| step.starts_with('-'));
    let (limit, usual) = if falls { ("maxvalue", "-1") } else { ("minvalue", "1") };
    clause_of(options, "start with").or_else(|| clause_of(options, limit)).unwrap_or(usual)
}

/// Whether the numbers that a sequence began with are none of those that it is to give out.
fn excludes_start(before: Option<&str>, now: Option<&str>) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    let falls = clause_of(now, "increment by").is_some_and(|step| step.starts_with('-'));
    let lowest =
        clause_of(now, "minvalue").and_then(number).unwrap_or(if falls { i64::MIN } else { 1 });
    let highest =
        clause_of(now, "maxvalue").and_then(number).unwrap_or(if falls { -1 } else { i64::MAX });
    number(start(before)).is_some_and(|start| start < lowest || start > highest)
}

fn table(plan: &mut Plan<'_>, id: &ObjectId, from: &Object, to: &Object) {
    let alter = format!("alter table {}", name(id));
    if differs(from, to, Property::Persistence) {
        let logged = if get(to, Property::Persistence).is_some() { "unlogged" } else { "logged" };
        plan.push_with("Writes the whole table anew.", format!("{alter} set {logged};"));
    }
    if differs(from, to, Property::Options) {
        options(plan, &alter, get(from, Property::Options), get(to, Property::Options));
    }
    if differs(from, to, Property::RowSecurity) {
        match (get(from, Property::RowSecurity), get(to, Property::RowSecurity)) {
            (_, None) => {
                plan.push(format!("{alter} no force row level security;"));
                plan.push(format!("{alter} disable row level security;"));
            }
            (Some("forced"), Some(_)) => {
                plan.push(format!("{alter} no force row level security;"));
            }
            (before, Some(now)) => {
                if before.is_none() {
                    plan.push(format!("{alter} enable row level security;"));
                }
                if now == "forced" {
                    plan.push(format!("{alter} force row level security;"));
                }
            }
        }
    }
}

/// Storage parameters, as `name=value, …`.
fn options(plan: &mut Plan<'_>, alter: &str, from: Option<&str>, to: Option<&str>) {
    let list = |text: Option<&str>| -> Vec<String> {
        let all = text.unwrap_or_default().split(", ");
        all.filter(|option| !option.is_empty()).map(str::to_owned).collect()
    };
    let parameter = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let (from, to) = (list(from), list(to));
    let set: Vec<&str> =
        to.iter().filter(|option| !from.contains(option)).map(String::as_str).collect();
    let kept: Vec<String> = to.iter().map(|option| parameter(option)).collect();
    let reset: Vec<String> = from
        .iter()
        .map(|option| parameter(option))
        .filter(|parameter| !kept.contains(parameter))
        .collect();
    if !reset.is_empty() {
        plan.push(format!("{alter} reset ({});", reset.join(", ")));
    }
    if !set.is_empty() {
        plan.push(format!("{alter} set ({});", set.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::{counting, new_labels};
    use crate::schema::catalog::{Object, Property};

    #[test]
    fn labels_are_added_where_they_belong() {
        let labels = |text: &str| Object {
            place: 0,
            properties: [(Property::Labels, text.to_owned())].into(),
        };
        for (from, to, clauses) in [
            ("'a', 'b'", "'a', 'b'", Some(&[][..])),
            ("'a', 'b'", "'a', 'x', 'b', 'y'", Some(&["'x' after 'a'", "'y' after 'b'"][..])),
            ("'a'", "'x', 'y', 'a'", Some(&["'x' before 'a'", "'y' after 'x'"][..])),
            ("'it''s, b'", "'it''s, b', ''''", Some(&["'''' after 'it''s, b'"][..])),
            ("'a', 'b'", "'b', 'a'", None),
            ("'a', 'b'", "'a'", None),
        ] {
            let found = new_labels(&labels(from), &labels(to));
            assert_eq!(
                found.as_deref(),
                clauses
                    .map(|all| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
                    .as_deref(),
                "{from} → {to}"
            );
        }
    }

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
