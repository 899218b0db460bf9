//! Comments on objects and grants, as SQL.

use super::quoting::quote;
use super::render::{keyword, name, table_name};
use super::{Kind, Object, ObjectId, Property};
use crate::sql::literal;

/// The statements that comment on an object, and on the index of a constraint.
pub(crate) fn comments(id: &ObjectId, object: &Object) -> Vec<String> {
    let mut statements = Vec::new();
    if let Some(text) = object.properties.get(&Property::Comment) {
        statements.push(comment(id, object, Some(text)));
    }
    if let Some(text) = object.properties.get(&Property::IndexComment) {
        statements.push(comment_on_index(id, Some(text)));
    }
    statements
}

/// The statement that sets a comment, or takes it away.
pub(crate) fn comment(id: &ObjectId, object: &Object, text: Option<&str>) -> String {
    let subject = match id.kind {
        Kind::Column => format!("column {}.{}", table_name(id), quote(&id.name)),
        Kind::Constraint | Kind::Trigger | Kind::Policy | Kind::Rule => {
            format!("{} {} on {}", id.kind, quote(&id.name), table_name(id))
        }
        Kind::DomainConstraint => {
            format!("constraint {} on domain {}", quote(&id.name), table_name(id))
        }
        _ => format!("{} {}", keyword(id, object), name(id)),
    };
    format!("comment on {subject} is {};", value(text))
}

/// [`comment`], on the index of a constraint.
pub(crate) fn comment_on_index(constraint: &ObjectId, text: Option<&str>) -> String {
    let schema = constraint.schema.clone();
    let index = ObjectId { schema, kind: Kind::Index, table: None, name: constraint.name.clone() };
    format!("comment on index {} is {};", name(&index), value(text))
}

fn value(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), literal)
}

/// The statements that give a new object its privileges: those of PUBLIC if they are not the usual
/// ones, and those of roles if they were read.
pub(crate) fn grants(id: &ObjectId, object: &Object) -> Vec<String> {
    let Some(subject) = subject(id, object) else { return Vec::new() };
    let mut statements = Vec::new();
    if let Some(privileges) = object.properties.get(&Property::PublicGrants) {
        if usual_of_public(id.kind).is_some() {
            statements.push(format!("revoke all on {subject} from public;"));
        }
        if privileges != "none" {
            statements.push(grant(id, privileges, &subject, "public"));
        }
    }
    let granted = object.properties.get(&Property::Grants).map_or("", String::as_str);
    let clauses = granted.split("; ").filter_map(|clause| clause.split_once(" to "));
    statements.extend(clauses.map(|(privileges, role)| grant(id, privileges, &subject, role)));
    statements
}

/// The statements that change the privileges of PUBLIC on an object to those of `to`.
pub(crate) fn change_public_grants(id: &ObjectId, to: &Object) -> Vec<String> {
    let Some(subject) = subject(id, to) else { return Vec::new() };
    let privileges = to.properties.get(&Property::PublicGrants).map(String::as_str);
    let privileges = privileges.or(usual_of_public(id.kind)).filter(|all| *all != "none");
    let all = if id.kind == Kind::Column {
        format!("all ({})", quote(&id.name))
    } else {
        "all".to_owned()
    };
    let revoke = format!("revoke {all} on {subject} from public;");
    let grant = privileges.map(|privileges| grant(id, privileges, &subject, "public"));
    [revoke].into_iter().chain(grant).collect()
}

/// The privileges that PUBLIC has on a new object.
fn usual_of_public(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Function | Kind::Aggregate => Some("execute"),
        Kind::Enum | Kind::Domain | Kind::CompositeType | Kind::RangeType => Some("usage"),
        _ => None,
    }
}

fn grant(id: &ObjectId, privileges: &str, subject: &str, receiver: &str) -> String {
    let columns = format!(" ({})", quote(&id.name));
    let of_columns = if id.kind == Kind::Column { columns.as_str() } else { "" };
    let privileges: Vec<String> =
        privileges.split(", ").map(|privilege| format!("{privilege}{of_columns}")).collect();
    format!("grant {} on {subject} to {receiver};", privileges.join(", "))
}

/// The object in `grant … on`; none if there are no privileges on such an object.
fn subject(id: &ObjectId, object: &Object) -> Option<String> {
    Some(match id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => name(id),
        Kind::Column => table_name(id),
        Kind::Enum | Kind::Domain | Kind::CompositeType | Kind::RangeType => {
            format!("type {}", name(id))
        }
        Kind::Sequence | Kind::Function | Kind::Schema => {
            format!("{} {}", keyword(id, object), name(id))
        }
        // `grant` has no word for them, and a name of its own for a few.
        Kind::Aggregate => format!("function {}", name(id).replace("(*)", "()")),
        Kind::Server => format!("foreign server {}", name(id)),
        Kind::ForeignDataWrapper => format!("foreign data wrapper {}", name(id)),
        _ => return None,
    })
}
