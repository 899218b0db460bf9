//! The migrator: a database, its migrations, and what is done with the two.

use neon_url::DatabaseUrl;

use crate::connect::{Connection, Database, session};
use crate::error::Error;
use crate::history::{self, AppliedMigration, Entry, Recorded};
use crate::migrations::Migrations;
use crate::model::{Event, MigrationName};
use crate::run::options::RunOptions;
use crate::run::plan::{Plan, PlannedMigration, Target};
use crate::run::shared_catalogs::Confinement;
use crate::run::timeouts;

/// A database, the migrations for it, the options of a run, and the receiver of its events.
pub struct Migrator<'a> {
    pub(crate) database: Database,
    pub(crate) migrations: &'a Migrations,
    pub(crate) options: RunOptions,
    /// What the scripts may change.
    pub(crate) confinement: Confinement,
    pub(crate) on_event: &'a mut (dyn FnMut(Event) + Send),
}

impl<'a> Migrator<'a> {
    /// With the usual options.
    pub fn new(
        database: Database,
        migrations: &'a Migrations,
        on_event: &'a mut (dyn FnMut(Event) + Send),
    ) -> Self {
        let options = RunOptions::default();
        Self { database, migrations, options, confinement: Confinement::None, on_event }
    }

    /// With these options.
    #[must_use]
    pub fn with_options(self, options: RunOptions) -> Self {
        Self { options, ..self }
    }

    /// The database that it works on.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The same at another address, or at the same where there is none.
    pub(crate) fn at(&mut self, url: Option<&DatabaseUrl>) -> Migrator<'_> {
        let url = url.unwrap_or(&self.database.url).clone();
        Migrator {
            database: Database { url, options: self.database.options.clone() },
            migrations: self.migrations,
            options: self.options.clone(),
            confinement: self.confinement.clone(),
            on_event: self.on_event,
        }
    }

    /// A session on the direct connection.
    pub(crate) async fn open(&mut self) -> Result<Connection, Error> {
        session::open(&self.database, self.on_event).await
    }

    /// A session on the direct connection that holds the lock.
    pub(crate) async fn open_locked(&mut self) -> Result<Connection, Error> {
        session::open_locked(&self.database, self.options.wait, self.on_event).await
    }

    /// Every migration and its state. Reads only; a database without a history has everything
    /// pending.
    pub async fn status(&mut self) -> Result<Vec<Entry>, Error> {
        let recorded = read_history(&self.database, self.on_event).await?;
        Ok(history::compare(self.migrations, &recorded))
    }

    /// The newest applied migration. Reads only.
    pub async fn current(&mut self) -> Result<Option<AppliedMigration>, Error> {
        Ok(read_history(&self.database, self.on_event).await?.applied.pop())
    }

    /// The migrations that [`Self::run`] would apply. Reads only, and reports nothing.
    pub async fn pending(&mut self) -> Result<Vec<MigrationName>, Error> {
        let recorded = read_history(&self.database, &mut |_| {}).await?;
        history::pending(self.migrations, &recorded)
    }

    /// The scripts that [`Self::run`] would run, in order; refuses what it would refuse. Reads only,
    /// and needs no lock: another migrator may be faster.
    pub async fn plan(&mut self, target: Target) -> Result<Vec<PlannedMigration>, Error> {
        self.require(target)?;
        let mut connection = self.open().await?;
        let planned = self.plan_in(&mut connection, target).await;
        connection.close().await;
        planned
    }

    async fn plan_in(
        &mut self,
        connection: &mut Connection,
        target: Target,
    ) -> Result<Vec<PlannedMigration>, Error> {
        let recorded = history::read(&mut connection.client).await?;
        let plan = Plan::new(self.migrations, recorded, target)?;
        let server = timeouts::statement_timeout(&connection.client)
            .await
            .map_err(|source| Error::Query { action: "tell its time limits", source })?;
        Ok(plan.describe(&self.options, server))
    }

    /// Applies migrations, oldest first, or undoes them, newest first. The plan is computed under
    /// the lock, so that no other migrator can run in between. Returns what was applied or undone.
    pub async fn run(&mut self, target: Target) -> Result<Vec<MigrationName>, Error> {
        self.require(target)?;
        let mut connection = self.open_locked().await?;
        let done = self.run_in(&mut connection, target).await;
        session::close_locked(connection).await;
        done
    }

    async fn run_in(
        &mut self,
        connection: &mut Connection,
        target: Target,
    ) -> Result<Vec<MigrationName>, Error> {
        let recorded = history::read(&mut connection.client).await?;
        let plan = Plan::new(self.migrations, recorded, target)?;
        self.run_plan(connection, plan).await
    }

    /// Refuses to apply up to a version that is none of the migrations.
    fn require(&self, target: Target) -> Result<(), Error> {
        match target {
            Target::Up(to) => self.migrations.require(to),
            Target::Down(_) => Ok(()),
        }
    }
}

async fn read_history(
    database: &Database,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<Recorded, Error> {
    let mut connection = session::open(database, on_event).await?;
    let recorded = history::read(&mut connection.client).await;
    connection.close().await;
    recorded
}
