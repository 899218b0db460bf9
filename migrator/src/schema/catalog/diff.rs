//! The differences between two catalogs.

use std::collections::BTreeSet;

use super::{Catalog, Kind, Object, ObjectId, Property, split_column};

/// One way in which two catalogs differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The object that differs.
    pub id: ObjectId,
    /// The difference.
    pub change: Change,
}

/// Difference of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The second has no such object.
    OnlyInFirst,
    /// The first has no such object.
    OnlyInSecond,
    /// Both have it, with these properties different: what the first and the second say, or
    /// nothing.
    Changed(Vec<(Property, Option<String>, Option<String>)>),
}

/// Every difference, ordered by object. Columns, constraints, indexes and own sequences of a table or
/// column that is itself missing on one side are not listed.
pub(crate) fn diff(first: &Catalog, second: &Catalog) -> Vec<Difference> {
    let ids: BTreeSet<&ObjectId> = first.objects.keys().chain(second.objects.keys()).collect();
    let differences = ids.into_iter().filter_map(|id| {
        let change = match (first.objects.get(id), second.objects.get(id)) {
            (Some(own), None) if !goes_with_another(id, own, second) => Change::OnlyInFirst,
            (None, Some(other)) if !goes_with_another(id, other, first) => Change::OnlyInSecond,
            (Some(own), Some(other)) if own.properties != other.properties => {
                Change::Changed(changes(own, other))
            }
            _ => return None,
        };
        Some(Difference { id: id.clone(), change })
    });
    differences.collect()
}

/// True if the other catalog lacks it because it lacks the table or column that it belongs to.
fn goes_with_another(id: &ObjectId, object: &Object, other: &Catalog) -> bool {
    let is_missing = |schema: &Option<String>, table: &str| {
        Kind::WITH_PARTS.into_iter().all(|kind| {
            let (schema, name) = (schema.clone(), table.to_owned());
            !other.objects.contains_key(&ObjectId { schema, kind, table: None, name })
        })
    };
    if let Some(table) = &id.table {
        return is_missing(&id.schema, table);
    }
    let Some((schema, table, name)) =
        object.properties.get(&Property::OwnedBy).and_then(|owner| split_column(owner))
    else {
        return false;
    };
    let column = ObjectId { schema, kind: Kind::Column, table: Some(table), name };
    !other.objects.contains_key(&column)
}

fn changes(first: &Object, second: &Object) -> Vec<(Property, Option<String>, Option<String>)> {
    let properties: BTreeSet<Property> =
        first.properties.keys().chain(second.properties.keys()).copied().collect();
    properties
        .into_iter()
        .map(|property| {
            let value = |object: &Object| object.properties.get(&property).cloned();
            (property, value(first), value(second))
        })
        .filter(|(_, first, second)| first != second)
        .collect()
}
