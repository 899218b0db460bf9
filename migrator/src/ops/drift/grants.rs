//! Privileges of roles where they are not compared: they belong to an environment more than to a
//! schema, and only some of them come from migrations.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::catalog::{Catalog, Kind, Object, ObjectId, Property};

/// Gives the objects of the database the privileges of roles that the migrations grant, so that these
/// are kept when an object is recreated, and nothing else is said of them. Returns the objects on which
/// they differ. Default privileges, and what PUBLIC may do with a schema, are treated in the same way:
/// the latter depends on the version of PostgreSQL that made the database.
pub(super) fn set_aside(live: &mut Catalog, expected: &Catalog) -> Vec<ObjectId> {
    let mut differing = default_privileges(live, expected);
    for (id, object) in &mut live.objects {
        let made = expected.objects.get(id);
        let mut properties = vec![Property::Grants];
        if id.kind == Kind::Schema {
            properties.push(Property::PublicGrants);
        }
        for property in properties {
            let wanted = made.and_then(|made| made.properties.get(&property)).cloned();
            if object.properties.get(&property) != wanted.as_ref() && !differing.contains(id) {
                differing.push(id.clone());
            }
            match wanted {
                Some(wanted) => object.properties.insert(property, wanted),
                None => object.properties.remove(&property),
            };
        }
    }
    differing
}

/// The catalog without these kinds of privileges, and without default privileges.
pub(super) fn without(catalog: &Catalog, kinds: &[Property]) -> Catalog {
    let mut catalog = catalog.clone();
    catalog.objects.retain(|id, _| !is_default_privileges(id));
    for object in catalog.objects.values_mut() {
        object.properties.retain(|property, _| !kinds.contains(property));
    }
    catalog
}

fn is_default_privileges(id: &ObjectId) -> bool {
    id.kind == Kind::Other && id.name.starts_with("default acl ")
}

fn default_privileges(live: &mut Catalog, expected: &Catalog) -> Vec<ObjectId> {
    let of = |catalog: &Catalog| -> BTreeMap<ObjectId, Object> {
        let objects = catalog.objects.iter();
        let own = objects.filter(|(id, _)| is_default_privileges(id));
        own.map(|(id, object)| (id.clone(), object.clone())).collect()
    };
    let (own, made) = (of(live), of(expected));
    live.objects.retain(|id, _| !own.contains_key(id));
    let all: BTreeSet<&ObjectId> = own.keys().chain(made.keys()).collect();
    let differing = all.into_iter().filter(|id| own.get(id) != made.get(id)).cloned().collect();
    live.objects.extend(made);
    differing
}
