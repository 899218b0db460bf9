//! Roles of the tests. They belong to the whole server, so each has a unique name, and is dropped with
//! its database.

use std::fmt;

use tokio_postgres::Client;

/// A role that can log in.
#[derive(Clone)]
pub struct Role {
    /// Its name, unquoted.
    pub name: String,
    pub(crate) password: String,
}

impl Role {
    /// Creates a role without any privileges. `name` is the beginning of its name.
    pub(crate) async fn create(admin: &Client, name: &str) -> Self {
        let role = Self {
            name: format!("{name}_{:016x}", rand::random::<u64>()),
            password: format!("{:032x}", rand::random::<u128>()),
        };
        let statement = format!("create role {} login password '{}'", role.quoted(), role.password);
        admin.batch_execute(&statement).await.expect("create a role");
        role
    }

    /// Its name, quoted for SQL.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.name.replace('"', "\"\""))
    }
}

/// Without the password: a failing test prints it.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Role").field(&self.name).finish()
    }
}
