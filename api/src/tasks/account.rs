//! The account of a task's owner: created with the first task, with the email address of the token, which
//! it follows from then on.

use crate::auth::Caller;
use crate::config::{self, Auth};
use crate::db::{Database, Param, Row};
use crate::error::ApiError;
use crate::log;

/// A statement that creates a task, in several forms. Each gives no row, or null for an id, where it creates none.
pub(super) struct Insert {
    /// Only where the owner has an account.
    pub(super) task: &'static str,
    /// Only where the owner has an account with the address, which is the last parameter; none where that takes the
    /// server no less time than the next one.
    pub(super) task_with_address: Option<&'static str>,
    /// Creates the account if there is none, and updates its address if that differs. The address is the
    /// last parameter. No task if there is no account and another one has the address, or the table took
    /// no row.
    ///
    /// Only for roles that may insert users and update their address.
    pub(super) task_and_account: &'static str,
}

/// `$1` id, `$2` email address. Whether another account has the address. For a role that may not
/// update addresses, and to find out why there is no account.
const INSERT_ACCOUNT: &str = "\
with account as (
  insert into users (id, email)
  values ($1::text, $2::text)
  on conflict do nothing
)
select exists (select from users where email = $2::text and id <> $1::text)";

impl Insert {
    /// Creates the task of a user with an account, or with an address to create one.
    pub(super) async fn run(
        &self,
        database: &Database,
        caller: &Caller,
        params: Vec<Param>,
    ) -> Result<Row, ApiError> {
        let provisions_users = config::provision_users().await?.0;
        let Some(email) = caller.email.clone().filter(|_| provisions_users) else {
            let row = inserted(database, self.task, params).await?;
            return row.ok_or(ApiError::NotRegistered(if provisions_users {
                "no account: the token has no `email`, or its `email_verified` is not true".into()
            } else {
                "no account: `provision_users` is `false`".into()
            }));
        };

        let mut refusal = None;
        // Without a token, the address is invented: an existing account keeps its own.
        if *config::auth().await? == Auth::Jwt {
            let with_email: Vec<_> =
                params.iter().cloned().chain([Param::Text(email.clone())]).collect();
            if let Some(statement) = self.task_with_address
                && caller.account.is_current()
            {
                let row = inserted(database, statement, with_email.clone()).await;
                if let Some(row) = row.map_err(ApiError::on_missing_address)? {
                    return Ok(row);
                }
                caller.account.differs();
            }
            match inserted(database, self.task_and_account, with_email).await {
                Ok(Some(row)) => {
                    caller.account.followed();
                    return Ok(row);
                }
                Ok(None) => {
                    return self
                        .run_for_new_user(database, &caller.user_id, params, email, None)
                        .await;
                }
                Err(error) if error.is_refusal() => refusal = error.on_missing_address().cause(),
                Err(error) => return Err(error),
            }
        }
        // Nothing was changed. A user with an account can create tasks also if the table refuses the new
        // address.
        let row = inserted(database, self.task, params.clone()).await;
        let Some(row) = row.map_err(ApiError::on_missing_right)? else {
            return self.run_for_new_user(database, &caller.user_id, params, email, refusal).await;
        };
        if let Some(refusal) = refusal {
            log::warn(&format!("An account keeps its address: {refusal}")).await;
        }
        Ok(row)
    }

    /// Creates the account and then the task, or finds the reason why that fails. Of two concurrent requests,
    /// one creates the account for both.
    async fn run_for_new_user(
        &self,
        database: &Database,
        user_id: &str,
        params: Vec<Param>,
        email: String,
        refusal: Option<String>,
    ) -> Result<Row, ApiError> {
        let account = vec![Param::Text(user_id.to_owned()), Param::Text(email)];
        let is_taken = database.row(INSERT_ACCOUNT, account).await;
        if is_taken.map_err(ApiError::on_account_insert)?.bool()? {
            return Err(ApiError::EmailTaken);
        }
        let row = inserted(database, self.task, params).await?;
        let cause = refusal.unwrap_or_else(|| "the table users took no row".to_owned());
        row.ok_or(ApiError::NotRegistered(format!("no account: {cause}").into()))
    }
}

/// The row of a task that was inserted.
async fn inserted(
    database: &Database,
    statement: &'static str,
    params: Vec<Param>,
) -> Result<Option<Row>, ApiError> {
    let row = database.first_row(statement, params).await?;
    Ok(row.filter(|row| !row.begins_with_null()))
}
