//! The owner of a sequence that a column gets: PostgreSQL requires that of the table, which may be another
//! role than the one that runs the script.

use crate::schema::catalog::render::{name, qualified};
use crate::schema::catalog::{Catalog, Kind, Property, split_column};
use crate::schema::generate::Statement;
use crate::sql::literal;

/// Adds the statements before those that tie a sequence to its column.
pub(super) fn add(statements: &mut Vec<Statement>, live: &Catalog, target: &Catalog) {
    let sequences = target.objects.iter().filter(|(id, _)| id.kind == Kind::Sequence);
    for (id, object) in sequences {
        let owned_by = object.properties.get(&Property::OwnedBy);
        let before = live.objects.get(id).and_then(|old| old.properties.get(&Property::OwnedBy));
        let Some((schema, table, _)) =
            owned_by.filter(|own| before != Some(*own)).and_then(|own| split_column(own))
        else {
            continue;
        };
        let tie = format!("alter sequence {} owned by ", name(id));
        let Some(place) = statements.iter().position(|statement| statement.sql.starts_with(&tie))
        else {
            continue;
        };
        let table = literal(&qualified(schema.as_deref(), &table));
        let sequence = literal(&name(id));
        let sql = format!(
            "do $$\nbegin\n  execute format('alter sequence %s owner to %I', {sequence},\n    (select pg_get_userbyid(relowner) from pg_class where oid = {table}::regclass));\nend $$;"
        );
        let remarks = vec!["A sequence of a column has the owner of its table.".to_owned()];
        statements.insert(place, Statement { remarks, sql });
    }
}
