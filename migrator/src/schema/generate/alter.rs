//! Objects to alter: labels of enumerated types, domains, sequences, columns, and properties of
//! tables.

use super::steps::Phase;
use super::{Plan, columns, differs, get, sequences};
use crate::schema::catalog::quoting::{Piece, lower, pieces};
use crate::schema::catalog::render::name;
use crate::schema::catalog::settings::{firing, index_targets, row_security};
use crate::schema::catalog::{Kind, Object, ObjectId, Property};

/// The steps that alter objects.
pub(super) fn add_steps(plan: &mut Plan<'_>) {
    for (id, from, to) in plan.staying(&[Kind::Enum]) {
        // No undoing takes a label away, so that it may be there when this is run again.
        for clause in new_labels(from, to).unwrap_or_default() {
            let sql = format!("alter type {} add value if not exists {clause};", name(id));
            plan.push(Phase::AlterTypes, id, sql);
        }
    }
    for (id, from, to) in plan.staying(&[Kind::Domain]) {
        domain(plan, id, from, to);
    }
    columns::change(plan);
    for (id, from, to) in plan.staying(&[Kind::Sequence]) {
        sequences::change(plan, id, from, to);
    }
    for (id, from, to) in plan.staying(&[Kind::Table]) {
        table(plan, id, from, to);
    }
    for (id, from, to) in plan.staying(&[Kind::MaterializedView, Kind::Index, Kind::Constraint]) {
        relation(plan, id, from, to);
    }
    for (id, from, to) in plan.staying(&[Kind::Trigger, Kind::Rule, Kind::EventTrigger]) {
        if differs(from, to, Property::Disabled) {
            let sql = firing(id, get(to, Property::Disabled));
            plan.push(Phase::AlterTriggers, id, sql);
        }
    }
    for (id, from, to) in plan.staying(&[Kind::Statistics]) {
        if differs(from, to, Property::StatisticsTarget) {
            let target = get(to, Property::StatisticsTarget).unwrap_or("-1");
            let sql = format!("alter statistics {} set statistics {target};", name(id));
            plan.push(Phase::AlterTables, id, sql);
        }
    }
}

/// The arguments of `add value` for each new label; none if an old one is missing or has moved.
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

fn domain<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let alter = format!("alter domain {}", name(id));
    if differs(from, to, Property::Default) {
        let sql = match get(to, Property::Default) {
            Some(default) => format!("{alter} set default {};", lower(default)),
            None => format!("{alter} drop default;"),
        };
        plan.push(Phase::AlterTypes, id, sql);
    }
    match (get(from, Property::NotNull), get(to, Property::NotNull)) {
        (None, Some(_)) => plan.push(Phase::AlterTypes, id, format!("{alter} set not null;")),
        (Some(_), None) => plan.push(Phase::AlterTypes, id, format!("{alter} drop not null;")),
        _ => {}
    }
}

fn table<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let alter = format!("alter table {}", name(id));
    if differs(from, to, Property::Persistence) {
        let logged = if get(to, Property::Persistence).is_some() { "unlogged" } else { "logged" };
        let sql = format!("{alter} set {logged};");
        plan.push_with(Phase::AlterTables, id, "Rewrites the whole table.", sql);
    }
    if differs(from, to, Property::OfType) {
        match get(to, Property::OfType) {
            Some(of_type) => plan.push(Phase::AlterTables, id, format!("{alter} of {of_type};")),
            None => plan.push(Phase::AlterTables, id, format!("{alter} not of;")),
        }
    }
    relation(plan, id, from, to);
    let [old, new] = [from, to].map(|object| get(object, Property::RowSecurity));
    plan.push_all(Phase::AlterTables, id, row_security(id, old, new));
}

/// Where a relation is stored, and its storage parameters. Of a constraint those of its index.
fn relation<'a>(plan: &mut Plan<'a>, id: &'a ObjectId, from: &Object, to: &Object) {
    let own = match id.kind {
        Kind::Constraint => ObjectId { kind: Kind::Index, ..id.clone() },
        _ => id.clone(),
    };
    let alter = format!("alter {} {}", own.kind, name(&own));
    if differs(from, to, Property::AccessMethod) {
        let method = get(to, Property::AccessMethod).unwrap_or("heap");
        let sql = format!("{alter} set access method {method};");
        plan.push_with(Phase::AlterTables, id, "Rewrites it.", sql);
    }
    if differs(from, to, Property::Tablespace) {
        let tablespace = get(to, Property::Tablespace).unwrap_or("pg_default");
        let sql = format!("{alter} set tablespace {tablespace};");
        plan.push_with(Phase::AlterTables, id, "Moves all of it.", sql);
    }
    if differs(from, to, Property::Options) {
        let [old, new] = [from, to].map(|object| get(object, Property::Options));
        options(plan, Phase::AlterTables, id, &alter, old, new);
    }
    if id.kind == Kind::Index && differs(from, to, Property::StatisticsTarget) {
        let targets = |object| get(object, Property::StatisticsTarget).unwrap_or_default();
        let columns: Vec<&str> =
            targets(to).split(", ").filter_map(|target| target.split(' ').next()).collect();
        for target in targets(from).split(", ").filter(|target| !target.is_empty()) {
            let column = target.split(' ').next().unwrap_or_default();
            if !columns.contains(&column) {
                let sql = format!("{alter} alter column {column} set statistics -1;");
                plan.push(Phase::AlterTables, id, sql);
            }
        }
        plan.push_all(Phase::AlterTables, id, index_targets(id, targets(to)));
    }
}

/// Storage parameters, as `name=value, …`.
pub(super) fn options<'a>(
    plan: &mut Plan<'a>,
    phase: Phase,
    id: &'a ObjectId,
    alter: &str,
    from: Option<&str>,
    to: Option<&str>,
) {
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
        plan.push(phase, id, format!("{alter} reset ({});", reset.join(", ")));
    }
    if !set.is_empty() {
        plan.push(phase, id, format!("{alter} set ({});", set.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::new_labels;
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
}
