//! Reads a catalog in one read-only snapshot.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::types::{Oid, Type};
use tokio_postgres::{Client, Row};

use super::dependencies::{Address, Dependencies};
use super::normalize::normalize;
use super::queries::{self, DEPENDENCIES, LARGE_OBJECTS, OTHER, OTHER_SCHEMAS, PARTS};
use super::{Catalog, Kind, Object, ObjectId, Property, dependency_order, late};
use crate::connect::session;
use crate::error::{CatalogError, Error};

/// The main schema and the major version of the server.
const MAIN_SCHEMA: &str = "\
select pg_catalog.current_schema()::text,
       pg_catalog.current_setting('server_version_num')::int4 / 10000";

/// PostgreSQL prints names without a schema where this finds them: those of the main schema and its
/// own, and no others. It locks what it prints, and does not wait for that behind a migration. Both
/// for the transaction only.
const PREPARE: &str = "\
select pg_catalog.set_config('search_path',
                             pg_catalog.quote_ident(pg_catalog.current_schema()), true),
       pg_catalog.set_config('lock_timeout', '3s', true)";

/// Selects the objects to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadOptions {
    /// The schemas to read besides the main one, in which unqualified names are created. Missing
    /// ones are left out.
    pub(crate) schemas: Vec<String>,
    /// Read privileges too.
    pub(crate) grants: bool,
}

/// Reads all objects except PostgreSQL's own, those of extensions, and the bookkeeping of migration
/// tools. Needs no privilege but to connect.
pub(crate) async fn read(client: &mut Client, options: &ReadOptions) -> Result<Catalog, Error> {
    let refused = |source| Error::Query { action: "read the catalogs", source };
    let transaction = session::begin_read_only(client).await.map_err(refused)?;
    let row = transaction.query_typed_one(MAIN_SCHEMA, &[]).await.map_err(refused)?;
    let (main, server_version): (Option<String>, i32) = (row.get(0), row.get(1));
    let main = main.ok_or(CatalogError::NoSchema)?;
    transaction.query_typed_one(PREPARE, &[]).await.map_err(refused)?;
    let schemas: Vec<&String> = std::iter::once(&main).chain(&options.schemas).collect();
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&schemas, Type::TEXT_ARRAY), (&options.grants, Type::BOOL)];
    let mut catalog = Catalog::default();
    let mut addresses = BTreeMap::new();
    for query in queries::objects(server_version) {
        for row in transaction.query_typed(query, &parameters).await.map_err(refused)? {
            let (id, object, address) = read_row(&row)?;
            addresses.insert(address, id.clone());
            catalog.objects.insert(id, object);
        }
    }
    let other = transaction.query_typed(OTHER, &parameters).await.map_err(refused)?;
    let not_read = transaction.query_typed(LARGE_OBJECTS, &[]).await.map_err(refused)?;
    catalog.not_read = not_read.iter().map(|row| row.get(0)).collect();
    let parts = transaction.query_typed(PARTS, &[]).await.map_err(refused)?;
    let dependencies = transaction.query_typed(DEPENDENCIES, &[]).await.map_err(refused)?;
    transaction.commit().await.map_err(refused)?;
    let parts = parts.iter().map(read_pair).collect();
    let other = other.iter().filter_map(|row| read_other(row, &addresses, &parts));
    catalog.objects.extend(other);
    let dependencies: Vec<(Address, Address)> = dependencies.iter().map(read_pair).collect();
    catalog.dependencies = Dependencies::new(&addresses, &parts, &dependencies);
    catalog.late = late::find(&catalog);
    catalog.entangled = late::find_entangled(&catalog);
    dependency_order::give_places(&mut catalog);
    Ok(catalog)
}

/// The schemas that [`read`] reads on request only: all but the main one, PostgreSQL's own and those
/// of extensions.
pub(crate) async fn other_schemas(client: &Client) -> Result<Vec<String>, Error> {
    let rows = client.query_typed(OTHER_SCHEMAS, &[]).await;
    let rows = rows.map_err(|source| Error::Query { action: "read the schemas", source })?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn read_row(row: &Row) -> Result<(ObjectId, Object, Address), Error> {
    let kind: &str = row.get(0);
    let properties: &str = row.get(7);
    let unreadable = |reason: serde_json::Error| CatalogError::Unknown { reason };
    let kind = Kind::deserialize(serde_json::Value::from(kind)).map_err(unreadable)?;
    let mut properties: BTreeMap<Property, String> =
        serde_json::from_str(properties).map_err(unreadable)?;
    let has_body = kind == Kind::Function || Kind::WHOLE.contains(&kind);
    for property in [Property::Definition, Property::Default, Property::Generated] {
        if let Some(text) = properties.get_mut(&property)
            && !has_body
        {
            *text = normalize(text);
        }
    }
    let id = ObjectId { schema: row.get(1), kind, table: row.get(2), name: row.get(3) };
    let column_number = if kind == Kind::Column { row.get(4) } else { 0 };
    let address = (row.get(5), row.get(6), column_number);
    Ok((id, Object { place: row.get(4), properties }, address))
}

/// An object that no other query has read; see [`OTHER`] for the columns.
fn read_other(
    row: &Row,
    addresses: &BTreeMap<Address, ObjectId>,
    parts: &BTreeMap<Address, Address>,
) -> Option<(ObjectId, Object)> {
    let (name, description): (String, Option<String>) = (row.get(0), row.get(1));
    let (is_comment, address): (bool, Address) = (row.get(2), (row.get(3), row.get(4), 0));
    let owner = parts.get(&address).and_then(|owner| addresses.get(owner));
    let is_read = match description {
        // Of a part, only the comment on the index of a constraint is read.
        Some(_) if is_comment => {
            addresses.contains_key(&address)
                || owner.is_some_and(|owner| owner.kind == Kind::Constraint)
        }
        Some(_) => false,
        None => addresses.contains_key(&address) || owner.is_some(),
    };
    let definition = description.map(|description| (Property::Definition, description));
    let id = ObjectId { schema: None, kind: Kind::Other, table: None, name };
    let object = Object { place: i32::MAX, properties: definition.into_iter().collect() };
    (!is_read).then_some((id, object))
}

fn read_pair(row: &Row) -> (Address, Address) {
    let address = |first: usize| -> Address {
        let oid = |index: usize| -> Oid { row.get(index) };
        (oid(first), oid(first + 1), row.get(first + 2))
    };
    (address(0), address(3))
}
