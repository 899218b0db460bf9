//! What a schema lacks of what the migrations create: they run in a shadow database, and the two
//! catalogs are compared.
//!
//! More is allowed than `drift` allows: an older schema has other names of keys and other spellings of
//! checks, and may contain more.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::run::migrator::Migrator;
use crate::schema::catalog::{self, Catalog, Kind, Object, ObjectId, Property, ReadOptions};
use crate::schema::shadow::{self, DatabaseSettings, ShadowServer, Through};

/// True if two types are of one kind, such as both for text: `text` may be `character varying`.
const SAME_KIND: &str = "\
select coalesce(first.typcategory = second.typcategory, false)
  from (values (1)) as one
  left join pg_catalog.pg_type as first on first.oid = pg_catalog.to_regtype($1)
  left join pg_catalog.pg_type as second on second.oid = pg_catalog.to_regtype($2)";

/// Result of comparing a database with its migrations.
pub(crate) struct Comparison {
    /// Objects that the database lacks.
    pub(crate) missing: Vec<String>,
    /// Objects that do something else there.
    pub(crate) other: Vec<String>,
    /// Objects of the migrations that cannot be compared.
    pub(crate) not_compared: Vec<String>,
}

/// Compares the database with the migrations up to and including a version.
pub(crate) async fn compare(
    migrator: &mut Migrator<'_>,
    client: &mut Client,
    newest: i64,
    shadow_server: &ShadowServer,
) -> Result<Comparison, Error> {
    let settings = DatabaseSettings::read(client).await?;
    let through = Through::Version(newest);
    let built = shadow::build(migrator, shadow_server, Some(&settings), through, false).await?;
    let read = ReadOptions { schemas: built.schemas, grants: false };
    let live = catalog::read(client, &read).await?;
    let expected = built.catalog;
    let mut missing = Vec::new();
    let mut other = Vec::new();
    for (id, object) in &expected.objects {
        let Some(present) = live.objects.get(id) else {
            if is_reported(id, object, &live) {
                missing.push((id, describe(id, object)));
            }
            continue;
        };
        if id.kind == Kind::Column && !has_same_kind_of_type(client, object, present).await? {
            missing.push((id, describe(id, object)));
        } else if does_something_else(id.kind, object, present) {
            other.push(id.to_string());
        }
    }
    missing.sort_by(|(id, part), (other_id, other_part)| {
        (rank(id), part).cmp(&(rank(other_id), other_part))
    });
    Ok(Comparison {
        missing: missing.into_iter().map(|(_, part)| part).collect(),
        other,
        not_compared: expected.not_read,
    })
}

/// Order of what is missing: by table, each with its parts; functions last.
fn rank(id: &ObjectId) -> (u8, Option<&str>, &str, u8) {
    let group = match id.kind {
        Kind::Function => 2,
        kind if is_relation(kind) || id.table.is_some() => 1,
        _ => 0,
    };
    let relation = id.table.as_deref().unwrap_or(&id.name);
    let part = match id.kind {
        Kind::Column => 1,
        Kind::Index => 2,
        Kind::Trigger => 3,
        Kind::Policy => 4,
        _ => 0,
    };
    (group, id.schema.as_deref(), relation, part)
}

fn is_relation(kind: Kind) -> bool {
    matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView)
}

/// False for the names of keys and checks, which depend on how they were created, and for what is
/// missing because its table is.
fn is_reported(id: &ObjectId, object: &Object, live: &Catalog) -> bool {
    let has_table = || {
        let relation = |kind| {
            let (schema, name) = (id.schema.clone(), id.table.clone().unwrap_or_default());
            ObjectId { schema, kind, table: None, name }
        };
        let kinds = [Kind::Table, Kind::View, Kind::MaterializedView];
        kinds.into_iter().any(|kind| live.objects.contains_key(&relation(kind)))
    };
    match id.kind {
        Kind::Constraint => false,
        Kind::Sequence => !object.properties.contains_key(&Property::OwnedBy),
        Kind::Column | Kind::Trigger | Kind::Policy => has_table(),
        _ => true,
    }
}

fn describe(id: &ObjectId, object: &Object) -> String {
    match object.properties.get(&Property::Type) {
        Some(kind) if id.kind == Kind::Column => format!("{id} {kind}"),
        Some(_) | None => id.to_string(),
    }
}

async fn has_same_kind_of_type(
    client: &Client,
    expected: &Object,
    present: &Object,
) -> Result<bool, Error> {
    let types = [expected, present].map(|object| object.properties.get(&Property::Type));
    let [Some(expected), Some(present)] = types else { return Ok(true) };
    if expected == present {
        return Ok(true);
    }
    let row = client
        .query_typed_one(SAME_KIND, &[(expected, Type::TEXT), (present, Type::TEXT)])
        .await
        .map_err(|source| Error::Query { action: "compare the types of columns", source })?;
    Ok(row.get(0))
}

fn does_something_else(kind: Kind, expected: &Object, present: &Object) -> bool {
    let property = match kind {
        Kind::Function
        | Kind::View
        | Kind::MaterializedView
        | Kind::Domain
        | Kind::CompositeType => Property::Definition,
        Kind::Enum => Property::Labels,
        _ => return false,
    };
    let value = |properties: &BTreeMap<Property, String>| properties.get(&property).cloned();
    value(&expected.properties) != value(&present.properties)
}
