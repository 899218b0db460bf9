//! The statements that bring the role to its privileges, as they run and as a script to run by
//! hand.

use tokio_postgres::GenericClient;

use super::excess_privileges;
use super::required_privileges::{self, Target};
use crate::error::Error;
use crate::ops::grant::statement::{GrantStatement, Purpose};
use crate::ops::role;

/// Required privileges of a role, and the statements that are missing.
#[derive(Clone, Debug)]
pub struct GrantPlan {
    /// Whose.
    pub role: String,
    /// In the order in which they run, in one transaction.
    pub statements: Vec<GrantStatement>,
    /// Deviations that remain, because the connected role cannot change them.
    pub warnings: Vec<String>,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Revoke, Self::RevokeFromAll, Self::Grant, Self::Setting];

    /// Comment above the statements in the script. Never a name: it could end the comment.
    fn comment(self) -> &'static str {
        match self {
            Self::Revoke => "-- What the role has and the API does not need.",
            Self::RevokeFromAll => {
                "-- What every role has, and so this one. Other roles lose it too: grant it to those that need it."
            }
            Self::Grant => "-- What the statements of the API need.",
            Self::Setting => {
                "-- The server gives up by itself, and the planner has the cost of a page. Kept with the role, so that a pooler cannot lose it."
            }
        }
    }
}

impl GrantPlan {
    /// The script that does the same when it is run by hand.
    pub fn script(&self) -> String {
        let part = |purpose: Purpose| {
            let statements = self.of(purpose).map(|statement| format!("{};\n", statement.sql));
            let statements = statements.collect::<Vec<_>>().concat();
            if statements.is_empty() {
                return statements;
            }
            format!("{}\n{statements}\n", purpose.comment())
        };
        format!("begin;\n\n{}commit;\n", Purpose::ALL.map(part).concat())
    }

    /// Changes by statements of one purpose.
    pub fn changes(&self, purpose: Purpose) -> Vec<&str> {
        self.of(purpose).filter_map(|statement| statement.change.as_deref()).collect()
    }

    fn of(&self, purpose: Purpose) -> impl Iterator<Item = &GrantStatement> {
        self.statements.iter().filter(move |statement| statement.purpose == purpose)
    }
}

/// Looks at the role, and refuses one that cannot be the API's. Reads only.
pub(super) async fn plan(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<GrantPlan, Error> {
    let name = &target.request.role;
    let role = role::find_fit(client, name).await?;
    let mut warnings = Vec::new();
    if !role.can_log_in {
        warnings.push(format!("`{name}` cannot log in yet: alter it with `login`"));
    }
    let statements = statements(client, target).await?;
    Ok(GrantPlan { role: name.clone(), statements, warnings })
}

/// The statements between what the role has now and what it should have.
pub(super) async fn statements(
    client: &impl GenericClient,
    target: &Target<'_>,
) -> Result<Vec<GrantStatement>, Error> {
    let excess = excess_privileges::find(client, target).await?;
    let revokes = excess.into_iter().filter(|excess| excess.removable);
    let revokes = revokes.map(|excess| GrantStatement {
        purpose: if excess.of_everybody { Purpose::RevokeFromAll } else { Purpose::Revoke },
        sql: excess.sql,
        change: Some(excess.what),
    });
    let mut statements: Vec<GrantStatement> = revokes.collect();
    statements.extend(required_privileges::statements(client, target).await?);
    Ok(statements)
}
