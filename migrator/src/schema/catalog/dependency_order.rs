//! The order in which objects can be created: each after its dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::Through;
use super::{Catalog, Kind, ObjectId};

/// Numbers all objects but columns in an order in which they can be created. Independent objects are
/// ordered by kind and name, with the parts of a table after it; a cycle is cut anywhere.
///
/// A table and a domain are created with their columns and constraints, except those that are late.
pub(super) fn give_places(catalog: &mut Catalog) {
    let places: Vec<(ObjectId, i32)> =
        places(catalog).into_iter().map(|(id, place)| (id.clone(), place)).collect();
    for (id, place) in places {
        if let Some(object) = catalog.objects.get_mut(&id) {
            object.place = place;
        }
    }
}

fn places(catalog: &Catalog) -> BTreeMap<&ObjectId, i32> {
    let dependencies = &catalog.dependencies;
    let mut needed: BTreeMap<&ObjectId, BTreeSet<&ObjectId>> = BTreeMap::new();
    for (user, need, through) in dependencies.all() {
        let need = if need.kind == Kind::Column { dependencies.whole(need) } else { need };
        let table = dependencies.whole(user);
        let is_late = catalog.late.contains(user);
        // Of a column only the default is late, not its type.
        let is_needed_by_table = match user.kind {
            Kind::Column => !is_late || through == Through::Itself,
            Kind::Constraint | Kind::DomainConstraint => !is_late,
            _ => false,
        };
        if is_needed_by_table && dependencies.whole(need) != table {
            needed.entry(table).or_default().insert(need);
        }
        if user.kind != Kind::Column {
            needed.entry(user).or_default().insert(need);
        }
    }
    let tables = catalog.objects.keys().filter(|id| id.kind == Kind::Table);
    let tables = tables.map(|id| (&id.schema, id.name.as_str())).collect();
    let mut order = Order { tables, needed, places: BTreeMap::new(), open: BTreeSet::new() };
    let mut sorted: Vec<&ObjectId> = catalog
        .objects
        .keys()
        .filter(|id| !matches!(id.kind, Kind::Column | Kind::Other))
        .collect();
    sorted.sort_by_key(|id| order.rank(id));
    for id in sorted {
        order.visit(id);
    }
    order.places
}

struct Order<'a> {
    tables: BTreeSet<(&'a Option<String>, &'a str)>,
    needed: BTreeMap<&'a ObjectId, BTreeSet<&'a ObjectId>>,
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
