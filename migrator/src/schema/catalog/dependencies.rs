//! The dependencies between the objects of a catalog, as PostgreSQL records them.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Oid;

use super::{Kind, ObjectId};

/// Address of an entry: the catalog, the oid, and the number of a column or 0.
pub(super) type Address = (Oid, Oid, i32);

/// Direct dependencies. A dependency on something that is no object of the catalog, such as a column
/// of a view, is one on the object that it is part of. The column that owns a sequence is none: the
/// sequence is created first and assigned to it later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dependencies {
    /// Of objects; of a column without those of its default or generation expression.
    own: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
    /// Of the default or the generation expression of a column.
    expressions: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
}

/// What depends on another object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// The object.
    Itself,
    /// The default or the generation expression of a column.
    Expression,
}

/// What an inherited column counts as. What needs one needs both.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inherited {
    /// Its table.
    OfTable,
    /// The column above it.
    FromAbove,
}

impl Dependencies {
    /// `parts` are the entries that an entry is part of, `needs` its dependencies.
    pub(super) fn new(
        addresses: &BTreeMap<Address, ObjectId>,
        parts: &BTreeMap<Address, Address>,
        needs: &[(Address, Address)],
    ) -> Self {
        let find = |mut address: Address, inherited: Inherited| {
            // A part of a part of a part: an array of rows of a table. No circle is that long.
            for _ in 0..8 {
                if let Some(id) = addresses.get(&address) {
                    return Some(id);
                }
                let (class, oid, column) = address;
                address = match parts.get(&address) {
                    Some(whole) if column == 0 || inherited == Inherited::FromAbove => *whole,
                    _ if column == 0 => return None,
                    _ => (class, oid, 0),
                };
            }
            None
        };
        let is_relation =
            |id: &&ObjectId| id.table.is_none() && Kind::WITH_PARTS.contains(&id.kind);
        let relations: BTreeMap<(&Option<String>, &str), &ObjectId> = addresses
            .values()
            .filter(is_relation)
            .map(|id| ((&id.schema, id.name.as_str()), id))
            .collect();
        // Only the columns of tables are objects of their own. Others are listed where there is more to
        // say of them than the definition of their relation does.
        let or_relation = |id| match relation_of(&relations, id) {
            Some(relation) if id.kind == Kind::Column && relation.kind != Kind::Table => relation,
            _ => id,
        };
        let mut dependencies = Self::default();
        for (from, to) in needs {
            let Some(user) = find(*from, Inherited::OfTable) else { continue };
            // Expressions are entries of their own, which are part of their column.
            let is_expression = user.kind == Kind::Column && !addresses.contains_key(from);
            let user = if is_expression { user } else { or_relation(user) };
            let all =
                if is_expression { &mut dependencies.expressions } else { &mut dependencies.own };
            for inherited in [Inherited::OfTable, Inherited::FromAbove] {
                let Some(need) = find(*to, inherited).map(or_relation) else { continue };
                let is_owned =
                    user.kind == Kind::Sequence && matches!(need.kind, Kind::Table | Kind::Column);
                if user != need && !is_owned {
                    all.entry(user.clone()).or_default().insert(need.clone());
                }
            }
        }
        for part in addresses.values() {
            if let Some(relation) = relation_of(&relations, part) {
                dependencies.own.entry(part.clone()).or_default().insert(relation.clone());
            }
        }
        dependencies
    }

    /// These, and those of the objects that only the other catalog has.
    pub(crate) fn with_others(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (own, others) in
            [(&mut all.own, &others.own), (&mut all.expressions, &others.expressions)]
        {
            for (id, needs) in others {
                own.entry(id.clone()).or_insert_with(|| needs.clone());
            }
        }
        all
    }

    /// The dependencies of an object; of a column those of its type and collation, and its table.
    pub(crate) fn own<'a>(&'a self, id: &ObjectId) -> impl Iterator<Item = &'a ObjectId> + use<'a> {
        self.own.get(id).into_iter().flatten()
    }

    /// The dependencies of the default or the generation expression of a column.
    pub(crate) fn of_expression<'a>(
        &'a self,
        id: &ObjectId,
    ) -> impl Iterator<Item = &'a ObjectId> + use<'a> {
        self.expressions.get(id).into_iter().flatten()
    }

    /// The table, view, type or domain that a part belongs to.
    pub(crate) fn relation<'a>(&'a self, part: &ObjectId) -> Option<&'a ObjectId> {
        let table = part.table.as_ref()?;
        self.own(part).find(|other| {
            Kind::WITH_PARTS.contains(&other.kind)
                && other.schema == part.schema
                && other.name == *table
        })
    }

    /// The table, view, type or domain that a part belongs to; the object itself if it is no part.
    pub(super) fn whole<'a>(&'a self, id: &'a ObjectId) -> &'a ObjectId {
        self.relation(id).unwrap_or(id)
    }

    /// All dependencies: an object, what it depends on, and whether the expression of a column does.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&ObjectId, &ObjectId, Through)> {
        let own = self.own.iter().map(|entry| (entry, Through::Itself));
        let expressions = self.expressions.iter().map(|entry| (entry, Through::Expression));
        own.chain(expressions).flat_map(|((user, needs), through)| {
            needs.iter().map(move |need| (user, need, through))
        })
    }
}

/// The object that a part belongs to.
fn relation_of<'a>(
    relations: &BTreeMap<(&Option<String>, &str), &'a ObjectId>,
    part: &ObjectId,
) -> Option<&'a ObjectId> {
    let table = part.table.as_deref()?;
    relations.get(&(&part.schema, table)).copied()
}
