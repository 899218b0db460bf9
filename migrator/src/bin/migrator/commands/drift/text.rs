//! A drift as text: `+` for what only the database has, `-` for what only the migrations create,
//! `~` for what differs, grouped by table.

use std::fmt::Write as _;

use migrator::{Change, Difference, Drift, Kind, ObjectId, Property};

use crate::output::{BAD, GOOD, NEUTRAL, text_diff};

pub(crate) fn render(drift: &Drift) -> String {
    let mut sorted: Vec<&Difference> = drift.differences.iter().collect();
    sorted.sort_by_key(|difference| {
        let id = &difference.id;
        (owner(id), id.table.is_some(), id.kind, &id.name)
    });
    let mut text = String::new();
    let mut table: Option<(&Option<String>, &str)> = None;
    for difference in sorted {
        let id = &difference.id;
        let Some(of) = &id.table else {
            table = Some((&id.schema, id.name.as_str())).filter(|_| is_relation(id.kind));
            render_difference(&mut text, drift, difference, "");
            continue;
        };
        if table != Some((&id.schema, of)) {
            table = Some((&id.schema, of));
            let schema = id.schema.as_ref().map(|schema| format!("{schema}.")).unwrap_or_default();
            let _ =
                writeln!(text, "{NEUTRAL}~{NEUTRAL:#} {} {schema}{of}", relation(drift, id, of));
        }
        render_difference(&mut text, drift, difference, "    ");
    }
    text
}

/// The object under which a difference is listed.
fn owner(id: &ObjectId) -> (Kind, &Option<String>, &str) {
    match &id.table {
        Some(table) => (Kind::Table, &id.schema, table),
        None if is_relation(id.kind) => (Kind::Table, &id.schema, &id.name),
        None => (id.kind, &id.schema, &id.name),
    }
}

fn is_relation(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Table
            | Kind::View
            | Kind::MaterializedView
            | Kind::ForeignTable
            | Kind::CompositeType
            | Kind::Domain
    )
}

/// Kind of the relation that a part belongs to.
fn relation(drift: &Drift, part: &ObjectId, name: &str) -> Kind {
    let kinds =
        [Kind::View, Kind::MaterializedView, Kind::ForeignTable, Kind::CompositeType, Kind::Domain];
    let found = kinds.into_iter().find(|kind| {
        let id = ObjectId {
            schema: part.schema.clone(),
            kind: *kind,
            table: None,
            name: name.to_owned(),
        };
        drift.live.objects.contains_key(&id)
    });
    found.unwrap_or(Kind::Table)
}

fn render_difference(text: &mut String, drift: &Drift, difference: &Difference, indent: &str) {
    let id = &difference.id;
    let (sign, style, catalog) = match &difference.change {
        Change::OnlyInFirst => ("+", GOOD, Some(&drift.live)),
        Change::OnlyInSecond => ("-", BAD, Some(&drift.expected)),
        Change::Changed(_) => ("~", NEUTRAL, None),
    };
    // Below its table, the name is enough.
    let name = match &id.table {
        Some(_) => format!("{} {}", id.kind, id.name),
        None => id.to_string(),
    };
    let _ = write!(text, "{indent}{style}{sign}{style:#} {name}");
    let object = catalog.and_then(|catalog| catalog.objects.get(id));
    let brief = object.into_iter().flat_map(|object| &object.properties);
    for (property, value) in brief.filter(|(property, _)| is_brief(id.kind, **property)) {
        match property {
            Property::Type | Property::Definition => {
                let _ = write!(text, " {value}");
            }
            Property::NotNull => text.push_str(" not null"),
            Property::Labels => {
                let _ = write!(text, " ({value})");
            }
            Property::Default => {
                let _ = write!(text, " default {value}");
            }
            property => {
                let _ = write!(text, ", {property} {value}");
            }
        }
    }
    text.push('\n');
    let Change::Changed(changes) = &difference.change else { return };
    for (property, live, made) in changes {
        let _ = writeln!(text, "{indent}    {property}");
        render_values(text, live.as_deref(), made.as_deref(), &format!("{indent}    "));
    }
}

/// Properties to show of an object that only one side has.
fn is_brief(kind: Kind, property: Property) -> bool {
    match property {
        Property::Definition => {
            matches!(
                kind,
                Kind::Constraint
                    | Kind::DomainConstraint
                    | Kind::Trigger
                    | Kind::Rule
                    | Kind::Policy
                    | Kind::Index
                    | Kind::Statistics
            )
        }
        Property::Type | Property::NotNull | Property::Default | Property::Generated => {
            kind == Kind::Column
        }
        Property::Labels => true,
        _ => false,
    }
}

/// Line diff from the migrations' value to the database's.
fn render_values(text: &mut String, live: Option<&str>, made: Option<&str>, indent: &str) {
    for (sign, line) in text_diff::compare(made.unwrap_or_default(), live.unwrap_or_default()) {
        let _ = match sign {
            '+' => writeln!(text, "{indent}{GOOD}+ {line}{GOOD:#}"),
            '-' => writeln!(text, "{indent}{BAD}- {line}{BAD:#}"),
            _ if line.is_empty() => writeln!(text),
            _ => writeln!(text, "{indent}  {line}"),
        };
    }
}
