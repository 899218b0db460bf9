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
        Kind::Constraint | Kind::Trigger | Kind::Policy => {
            format!("{} {} on {}", id.kind, quote(&id.name), table_name(id))
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

/// The statements that grant the privileges of other roles than the owner on a new object. Default
/// privileges of PUBLIC that are not among them are revoked.
pub(crate) fn grants(id: &ObjectId, object: &Object) -> Vec<String> {
    let granted = object.properties.get(&Property::Grants).map_or("", String::as_str);
    let subject = match id.kind {
        Kind::Table | Kind::View | Kind::MaterializedView => name(id),
        Kind::Column => table_name(id),
        Kind::Enum | Kind::Domain | Kind::CompositeType => format!("type {}", name(id)),
        Kind::Sequence | Kind::Function | Kind::Schema => {
            format!("{} {}", keyword(id, object), name(id))
        }
        Kind::Extension | Kind::Constraint | Kind::Index | Kind::Trigger | Kind::Policy => {
            return Vec::new();
        }
    };
    let by_default = match id.kind {
        Kind::Function => Some("execute to public"),
        Kind::Enum | Kind::Domain | Kind::CompositeType => Some("usage to public"),
        _ => None,
    };
    let clauses: Vec<&str> = granted.split("; ").filter(|clause| !clause.is_empty()).collect();
    let mut statements = Vec::new();
    if by_default.is_some_and(|default| !clauses.contains(&default)) {
        statements.push(format!("revoke all on {subject} from public;"));
    }
    for clause in clauses {
        let Some((privileges, receiver)) = clause.split_once(" to ") else { continue };
        if Some(clause) == by_default {
            continue;
        }
        let columns = format!(" ({})", quote(&id.name));
        let of_columns = if id.kind == Kind::Column { columns.as_str() } else { "" };
        let privileges: Vec<String> =
            privileges.split(", ").map(|privilege| format!("{privilege}{of_columns}")).collect();
        statements.push(format!("grant {} on {subject} to {receiver};", privileges.join(", ")));
    }
    statements
}
