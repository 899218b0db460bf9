//! The order in which objects can be created: each after its dependencies.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::types::Oid;

use super::{Catalog, Kind, ObjectId};

/// Address of an entry: the catalog and the oid.
pub(super) type Address = (Oid, Oid);

/// Numbers all objects but columns in an order in which they can be created. Independent objects are
/// ordered by kind and name, with the parts of a table after it; a cycle is cut anywhere.
///
/// `parts` are the entries that an entry is part of, `needs` its dependencies.
pub(super) fn give_places(
    catalog: &mut Catalog,
    addresses: &BTreeMap<Address, ObjectId>,
    parts: &BTreeMap<Address, Address>,
    dependencies: &[(Address, Address)],
) {
    let find = |mut address: Address| {
        // A part of a part of a part: an array of rows of a table. No circle is that long.
        for _ in 0..4 {
            if let Some(id) = addresses.get(&address) {
                return Some(id);
            }
            address = *parts.get(&address)?;
        }
        None
    };
    let mut needed: BTreeMap<&ObjectId, BTreeSet<&ObjectId>> = BTreeMap::new();
    for (from, to) in dependencies {
        if let (Some(from), Some(to)) = (find(*from), find(*to))
            && from != to
            // The sequence is created first and assigned to its column later.
            && (from.kind, to.kind) != (Kind::Sequence, Kind::Table)
        {
            needed.entry(from).or_default().insert(to);
        }
    }
    // A table is created with its constraints.
    let tables: BTreeMap<(&Option<String>, &str), &ObjectId> = addresses
        .values()
        .filter(|id| id.kind == Kind::Table)
        .map(|id| ((&id.schema, id.name.as_str()), id))
        .collect();
    for id in addresses.values().filter(|id| id.kind == Kind::Constraint) {
        let table = id.table.as_deref().and_then(|table| tables.get(&(&id.schema, table)));
        if let (Some(table), Some(needs)) = (table, needed.get(id).cloned()) {
            needed.entry(table).or_default().extend(needs.into_iter().filter(|need| need != table));
        }
    }
    let mut sorted: Vec<&ObjectId> =
        addresses.values().filter(|id| id.kind != Kind::Column).collect();
    let tables = tables.into_keys().collect();
    let mut order =
        Order { tables, needed: &needed, places: BTreeMap::new(), open: BTreeSet::new() };
    sorted.sort_by_key(|id| order.rank(id));
    for id in sorted {
        order.visit(id);
    }
    for (id, place) in order.places {
        if let Some(object) = catalog.objects.get_mut(id) {
            object.place = place;
        }
    }
}

struct Order<'a> {
    tables: BTreeSet<(&'a Option<String>, &'a str)>,
    needed: &'a BTreeMap<&'a ObjectId, BTreeSet<&'a ObjectId>>,
    places: BTreeMap<&'a ObjectId, i32>,
    /// Objects being visited: reaching one again is a cycle.
    open: BTreeSet<&'a ObjectId>,
}

impl<'a> Order<'a> {
    /// Order of independent objects: by kind, and after a table its constraints and indexes; the indexes
    /// of materialized views after those.
    fn rank(&self, id: &'a ObjectId) -> (Kind, &'a Option<String>, &'a str, Kind, &'a str) {
        let owner = id.table.as_deref().unwrap_or(&id.name);
        let kind = match id.kind {
            Kind::Constraint => Kind::Table,
            Kind::Index if self.tables.contains(&(&id.schema, owner)) => Kind::Table,
            Kind::Index => Kind::MaterializedView,
            kind => kind,
        };
        (kind, &id.schema, owner, id.kind, &id.name)
    }

    fn visit(&mut self, id: &'a ObjectId) {
        if self.places.contains_key(id) || !self.open.insert(id) {
            return;
        }
        let mut needs: Vec<&ObjectId> =
            self.needed.get(id).into_iter().flatten().copied().collect();
        needs.sort_by_key(|need| self.rank(need));
        for need in needs {
            self.visit(need);
        }
        let place = i32::try_from(self.places.len()).unwrap_or(i32::MAX);
        self.places.insert(id, place);
    }
}
