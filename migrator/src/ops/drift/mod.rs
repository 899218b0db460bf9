//! `drift`: compares a database with what its migrations create.

pub(crate) mod from_drift;
mod grants;
pub(crate) mod script;

use std::collections::BTreeSet;

use crate::error::Error;
use crate::history;
use crate::model::{Event, MigrationName};
use crate::run::migrator::Migrator;
use crate::schema::catalog::{
    self, Catalog, Difference, ObjectId, Property, ReadOptions, split_column,
};
use crate::schema::shadow::{self, DatabaseSettings, ShadowServer, Through};

/// Options of a comparison.
#[derive(Clone, Debug, Default)]
pub struct DriftOptions {
    /// The newest migration to compare with; where there is none, the newest that is applied.
    pub to: Option<i64>,
    /// Where the shadow database is created.
    pub shadow_server: ShadowServer,
    /// Compare privileges too.
    pub grants: bool,
    /// Objects excluded from the comparison: names of tables, functions and the rest, with their parts; `part` of
    /// `table` as `table.part`; and everything in a schema as `schema.*`.
    pub ignored: Vec<String>,
}

/// Result of comparing a database with its migrations.
#[derive(Clone, Debug)]
pub struct Drift {
    /// Every difference; the database is the first, the schema of the migrations the second.
    pub differences: Vec<Difference>,
    /// Schema of the database.
    pub live: Catalog,
    /// Schema of the migrations.
    pub expected: Catalog,
    /// The newest migration that it is compared with.
    pub compared_to: Option<MigrationName>,
    /// Migrations after that, which are not applied.
    pub pending: Vec<MigrationName>,
    /// What was not compared: the schema `public` where it is not used and schemas of a provider,
    /// privileges of roles where they differ, and large objects.
    pub not_compared: Vec<String>,
    /// Objects on which roles have other privileges than from the migrations, which was not compared.
    pub other_grants: Vec<ObjectId>,
}

/// Objects whose privileges of roles differ are named up to this number.
const NAMED_GRANTS: usize = 3;

/// Compares a database with the schema that its applied migrations create in a shadow database; pending
/// ones are no drift. Nothing is written to the database itself.
///
/// With [`DriftOptions::to`], the history is not read. Otherwise, [`Error::Diverged`] if history and
/// migrations do not match.
pub async fn drift(migrator: &mut Migrator<'_>, request: &DriftOptions) -> Result<Drift, Error> {
    let migrations = migrator.migrations;
    migrations.require(request.to)?;
    let mut connection = migrator.open().await?;
    let client = &mut connection.client;
    let (newest, pending) = if request.to.is_some() {
        (request.to, Vec::new())
    } else {
        let recorded = history::read(client).await?;
        let pending = history::pending(migrations, &recorded)?;
        (recorded.applied.last().map(|row| row.name.version), pending)
    };
    let settings = DatabaseSettings::read(client).await?;
    let through = newest.map_or(Through::Nothing, Through::Version);
    let server = &request.shadow_server;
    let mut built = shadow::build(migrator, server, Some(&settings), through, true).await?;
    let (schemas, left_out): (Vec<String>, Vec<String>) = catalog::other_schemas(client)
        .await?
        .into_iter()
        .partition(|schema| built.schemas.contains(schema) || is_by_hand(schema));
    let read = ReadOptions { schemas, grants: true };
    let mut live = catalog::read(client, &read).await?;
    let live_version = shadow::server_version(client).await?;
    if live_version != built.server_version {
        let shadow = built.server_version;
        (migrator.on_event)(Event::OtherServerVersion { live: live_version, shadow });
    }
    connection.close().await;

    let ignored = Ignored { names: &request.ignored, main: settings.schema() };
    for id in ignored.among(&[&live, &built.catalog]) {
        live.objects.remove(&id);
        built.catalog.objects.remove(&id);
    }
    let mut not_compared: Vec<String> =
        left_out.iter().map(|schema| format!("schema {schema}")).collect();
    let other_grants =
        if request.grants { Vec::new() } else { grants::set_aside(&mut live, &built.catalog) };
    let of_grants = other_grants.iter().take(NAMED_GRANTS).map(ToString::to_string);
    let of_grants: Vec<String> = of_grants.collect();
    let more = match other_grants.len().saturating_sub(NAMED_GRANTS) {
        0 => String::new(),
        more => format!(" and {more} more objects"),
    };
    let of_grants = (!of_grants.is_empty()).then(|| {
        format!("privileges of roles (`--grants` does) on {}{more}", of_grants.join(", "))
    });
    not_compared.extend(of_grants);
    not_compared.extend(live.not_read.iter().cloned());
    let differences = catalog::diff(&live, &built.catalog);
    let compared_to = migrations.names().find(|name| Some(name.version) == newest).cloned();
    Ok(Drift {
        differences,
        live,
        expected: built.catalog,
        compared_to,
        pending,
        not_compared,
        other_grants,
    })
}

/// True unless a schema is there without anybody's doing: `public`, or one that Neon makes.
fn is_by_hand(schema: &str) -> bool {
    !["public", "neon", "neon_auth", "neon_migration", "pgrst"].contains(&schema)
}

/// Objects excluded with `--ignore`.
struct Ignored<'a> {
    names: &'a [String],
    /// The schema of names without one.
    main: &'a str,
}

impl Ignored<'_> {
    /// The objects of the catalogs that are excluded.
    fn among(&self, catalogs: &[&Catalog]) -> BTreeSet<ObjectId> {
        let all = catalogs.iter().flat_map(|catalog| catalog.objects.keys());
        all.filter(|id| self.contains(id, catalogs)).cloned().collect()
    }

    fn contains(&self, id: &ObjectId, catalogs: &[&Catalog]) -> bool {
        let schema = id.schema.as_deref();
        if self.has(schema, id.table.as_deref(), &id.name) {
            return true;
        }
        // A sequence is part of the table that it counts for.
        let owner = catalogs
            .iter()
            .find_map(|catalog| catalog.objects.get(id)?.properties.get(&Property::OwnedBy))
            .and_then(|owner| split_column(owner));
        owner.is_some_and(|(schema, table, column)| {
            self.has(schema.as_deref(), Some(&table), &column)
        })
    }

    fn has(&self, schema: Option<&str>, table: Option<&str>, name: &str) -> bool {
        let bare = name.split('(').next().unwrap_or(name);
        let mut names = vec![name.to_owned(), bare.to_owned()];
        if let Some(table) = table {
            names = vec![table.to_owned(), format!("{table}.{name}")];
        }
        let qualified = names.iter().map(|name| format!("{}.{name}", schema.unwrap_or(self.main)));
        let mut wanted: Vec<String> = qualified.collect();
        wanted.push(format!("{}.*", schema.unwrap_or(self.main)));
        if schema.is_none() {
            wanted.append(&mut names);
        }
        self.names.iter().any(|ignored| wanted.contains(ignored))
    }
}

#[cfg(test)]
mod tests {
    use super::Ignored;

    #[test]
    fn a_name_stands_for_its_parts_and_a_star_for_a_schema() {
        for (ignored, schema, table, name, expected) in [
            ("tasks", None, None, "tasks", true),
            ("tasks", None, Some("tasks"), "title", true),
            ("tasks.title", None, Some("tasks"), "title", true),
            ("tasks.title", None, Some("tasks"), "status", false),
            ("app.tasks", None, None, "tasks", true),
            ("tasks", Some("audit"), None, "tasks", false),
            ("audit.tasks", Some("audit"), None, "tasks", true),
            ("audit.tasks.title", Some("audit"), Some("tasks"), "title", true),
            ("audit.*", Some("audit"), Some("tasks"), "title", true),
            ("app.*", None, Some("tasks"), "title", true),
            ("f", None, None, "f(integer)", true),
            ("f(integer)", None, None, "f(integer)", true),
            ("f(text)", None, None, "f(integer)", false),
            ("title", None, Some("tasks"), "title", false),
        ] {
            let names = [ignored.to_owned()];
            let ignored = Ignored { names: &names, main: "app" };
            assert_eq!(ignored.has(schema, table, name), expected, "{names:?} {table:?} {name}");
        }
    }
}
