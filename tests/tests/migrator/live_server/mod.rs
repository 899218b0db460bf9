//! Commands that only look leave the server of the database as it is: its roles, their memberships and
//! settings, its databases and tablespaces. Each test has a server of its own, because the others
//! create databases and roles all the time.

mod copy;
mod corpus;
mod elsewhere;
mod hidden;
mod refusals;
mod vouching;

use local::postgres::{DataDir, Options, Server};
use neon_url::DatabaseUrl;
use tests::CliOutput;
use tokio_postgres::{Client, NoTls};

use crate::support::folder::Folder;
use crate::support::program::run_with;

/// What all databases of a server share. Of a database, that which a vacuum changes is left out.
const SHARED_CATALOGS: &str = "\
select 'authid ' || to_jsonb(pg_authid)::text from pg_authid
union all select 'auth_members ' || to_jsonb(pg_auth_members)::text from pg_auth_members
union all select 'db_role_setting ' || to_jsonb(pg_db_role_setting)::text from pg_db_role_setting
union all select 'database ' || (to_jsonb(pg_database) - 'datfrozenxid' - 'datminmxid')::text from pg_database
union all select 'shdescription ' || to_jsonb(pg_shdescription)::text from pg_shdescription
union all select 'shseclabel ' || to_jsonb(pg_shseclabel)::text from pg_shseclabel
union all select 'tablespace ' || to_jsonb(pg_tablespace)::text from pg_tablespace
union all select 'subscription ' || subname from pg_subscription
union all select 'origin ' || roname from pg_replication_origin
union all select 'slot ' || slot_name from pg_replication_slots
union all select 'file setting ' || name || ' ' || coalesce(setting, '') from pg_file_settings
union all select 'privilege ' || coalesce(datacl::text, '') from pg_database";

/// What a live server may have: roles with memberships and settings, and another database.
const SET_UP: &str = "\
create role app login createdb password 'app';
create role api login password 'first';
create role reader;
grant reader to api;
alter role api set work_mem = '3MB';
comment on role api is 'the service';
create database other;
comment on database other is 'somebody else''s';
alter database other set timezone = 'Asia/Tokyo';
grant connect on database other to api;
create database live owner app;";

/// A server of one test, with a database `live`.
struct LiveServer {
    server: Server,
}

impl LiveServer {
    async fn start() -> Self {
        let live = Self::start_empty().await;
        let admin = live.admin().await;
        for statement in SET_UP.split(";\n") {
            admin.batch_execute(statement).await.expect(statement);
        }
        live
    }

    /// One without the roles and databases.
    async fn start_empty() -> Self {
        let options = Options::new(DataDir::Throwaway);
        Self { server: Server::start(options, &|_| {}).await.expect("start a server") }
    }

    /// The database `live`, as a superuser: what scripts do works.
    fn url(&self) -> DatabaseUrl {
        self.server.url("live")
    }

    async fn admin(&self) -> Client {
        self.client("postgres").await
    }

    async fn client(&self, database: &str) -> Client {
        let url = self.server.url(database).to_connection_string();
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connect");
        tokio::spawn(connection);
        client
    }

    /// The shared catalogs, a line for each row.
    async fn shared_catalogs(&self) -> Vec<String> {
        let rows = self.admin().await.query(SHARED_CATALOGS, &[]).await.expect("read the catalogs");
        let mut rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        rows.sort();
        rows
    }

    async fn run(&self, arguments: &[&str]) -> CliOutput {
        self.run_with(&[], arguments).await
    }

    async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> CliOutput {
        let url = self.url().to_connection_string();
        let variables = [&[("DATABASE_URL", url.as_str())], variables].concat();
        run_with(&variables, arguments).await
    }

    /// Empties the database `live`.
    async fn reset(&self) {
        let admin = self.admin().await;
        for statement in ["drop database live with (force)", "create database live owner app"] {
            admin.batch_execute(statement).await.expect(statement);
        }
    }
}

/// A folder with a harmless migration, and one that does what `sql` says.
fn folder(sql: &str) -> Folder {
    Folder::new(&[
        ("V1__one.sql", "create table one (id bigint);"),
        ("V1__one.down.sql", "drop table one;"),
        ("V2__two.sql", sql),
        ("V2__two.down.sql", "select 1;"),
    ])
}
