//! New labels of enumerated types. A transaction can add a label, but not use it then.

use std::collections::{BTreeMap, BTreeSet};

use super::alter::new_labels;
use super::recreate::names;
use super::{Plan, Transition};
use crate::schema::catalog::quoting::{Piece, pieces};
use crate::schema::catalog::render::name;
use crate::schema::catalog::{Catalog, Kind, ObjectId, Property};

/// The first catalog with the labels that the second has in addition, if the way from one to the other
/// uses them: adding them is a migration of its own then.
pub(crate) fn with_used_labels(from: &Catalog, to: &Catalog) -> Option<Catalog> {
    let conversions = BTreeMap::new();
    let plan = Plan::new(from, to, &conversions, BTreeSet::new());
    if used(from, to, &plan.transition()).is_empty() {
        return None;
    }
    let mut with_labels = from.clone();
    for (id, _) in extended(from, to) {
        let labels = to.objects.get(id).and_then(|object| object.properties.get(&Property::Labels));
        if let (Some(object), Some(labels)) = (with_labels.objects.get_mut(id), labels) {
            object.properties.insert(Property::Labels, labels.clone());
        }
    }
    Some(with_labels)
}

/// Enumerated types to which a transition adds labels, and which it names elsewhere.
pub(super) fn used(from: &Catalog, to: &Catalog, transition: &Transition) -> BTreeSet<ObjectId> {
    let used = extended(from, to).into_iter().filter(|(id, labels)| {
        let addition = format!("alter type {} add value ", name(id));
        let mut others = transition.statements.iter().filter(|one| !one.sql.starts_with(&addition));
        others.any(|one| {
            // `enum_range` and its siblings have all labels.
            names(&one.sql, &id.name)
                || one.sql.contains("enum_")
                || labels.iter().any(|label| one.sql.contains(label))
        })
    });
    used.map(|(id, _)| id.clone()).collect()
}

/// Enumerated types with new labels, as literals.
fn extended<'a>(from: &Catalog, to: &'a Catalog) -> Vec<(&'a ObjectId, Vec<String>)> {
    let types = to.objects.iter().filter(|(id, _)| id.kind == Kind::Enum);
    let extended = types.filter_map(|(id, to)| {
        let clauses = new_labels(from.objects.get(id)?, to)?;
        (!clauses.is_empty()).then(|| (id, clauses.iter().map(|clause| literal(clause)).collect()))
    });
    extended.collect()
}

/// The label in the arguments of `add value`.
fn literal(clause: &str) -> String {
    let is_quoted = |piece: &Piece<'_>| matches!(piece, Piece::Quoted(_));
    let label = pieces(clause).into_iter().take_while(is_quoted);
    label
        .map(|piece| match piece {
            Piece::Quoted(text) | Piece::Plain(text) => text,
        })
        .collect()
}
