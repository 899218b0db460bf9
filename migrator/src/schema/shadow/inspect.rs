//! Looks through the scripts that are to run in a shadow database, before it is created: for what
//! reaches beyond it, and for the schemas and roles that they create.

use std::collections::BTreeSet;

use crate::error::{BeyondDatabase, ShadowError};
use crate::migrations::{File, Migrations};
use crate::model::{Event, Position, TransactionMode};
use crate::run::shared_catalogs::Confinement;
use crate::sql::reach::{CreatedSchema, Found, Scripts};

/// What was found in the scripts.
#[derive(Default)]
pub(super) struct Inspection<'a> {
    beyond: Vec<(&'a File, Found)>,
    /// Names of the files with statements for which a person has vouched.
    vouched: Vec<String>,
    /// True if it is the schema of a database, for which nobody can vouch.
    is_copy: bool,
    /// Roles that the scripts create.
    pub(super) roles: BTreeSet<String>,
    /// Schemas that they create.
    pub(super) schemas: BTreeSet<CreatedSchema>,
}

impl<'a> Inspection<'a> {
    /// Looks through the scripts up to version `to` (of all where there is none), and through the undo
    /// scripts of the versions after `undone_after`, if any are undone.
    pub(super) fn of(
        migrations: &'a Migrations,
        to: Option<i64>,
        undone_after: Option<i64>,
    ) -> Self {
        let scripts = migrations.scripts().iter();
        let run = scripts.filter(|script| to.is_none_or(|to| script.name.version <= to));
        let files: Vec<&File> = run
            .flat_map(|script| {
                let is_undone = undone_after.is_some_and(|after| script.name.version > after);
                [Some(&script.apply), script.undo.as_ref().filter(|_| is_undone)]
            })
            .flatten()
            .collect();
        let scripts = Scripts::survey(files.iter().map(|file| file.sql.as_str()));
        let mut inspection = Self::default();
        for file in files {
            inspection.look_through(migrations, file, &scripts);
        }
        inspection
    }

    /// Looks through the script that creates a copy of a schema. Creating a materialized view, say, runs
    /// functions of that schema.
    pub(super) fn of_copy(copy: &'a File) -> Self {
        let scripts = Scripts::survey([copy.sql.as_str()].into_iter());
        let found = scripts.look_through(&copy.sql).found.into_iter();
        Self {
            beyond: found.map(|found| (copy, found)).collect(),
            is_copy: true,
            ..Self::default()
        }
    }

    fn look_through(&mut self, migrations: &Migrations, file: &'a File, scripts: &Scripts) {
        let contents = match file.mode {
            TransactionMode::One => scripts.look_through(&file.sql),
            TransactionMode::None => scripts.look_through_non_transactional(&file.sql),
        };
        self.roles.extend(contents.roles);
        self.schemas.extend(contents.schemas);
        let vouched = migrations.vouched(file);
        let found = contents.found.len();
        let rest = contents.found.into_iter().filter(|found| !vouched.covers(found.offset));
        let before = self.beyond.len();
        self.beyond.extend(rest.map(|found| (file, found)));
        // What the finder does not know can be vouched for, too.
        if self.beyond.len() - before < found || !vouched.is_none() {
            self.vouched.push(file.name.clone());
        }
    }

    /// True if a person has vouched for a statement.
    pub(super) fn is_vouched(&self) -> bool {
        !self.vouched.is_empty()
    }

    /// Refuses statements that reach beyond their database, without those for which a person has vouched.
    pub(super) fn require_confined(&self) -> Result<(), ShadowError> {
        let found = self.beyond();
        if found.is_empty() {
            Ok(())
        } else if self.is_copy {
            Err(ShadowError::CopyBeyondDatabase { found })
        } else {
            Err(ShadowError::BeyondDatabase { found })
        }
    }

    fn beyond(&self) -> Vec<BeyondDatabase> {
        let beyond = self.beyond.iter().map(|(file, found)| {
            let position = Position::of_byte(&file.sql, found.offset);
            BeyondDatabase {
                file: file.name.clone(),
                path: file.path.clone(),
                position,
                source_line: position.line_of(&file.sql),
                reason: found.reach.to_string(),
            }
        });
        beyond.collect()
    }

    /// The limits of scripts on the live server.
    pub(super) fn confinement(&self) -> Confinement {
        Confinement::Database { vouched: self.vouched.clone() }
    }

    /// Reports the statements that another server for the shadow database does not confine.
    pub(super) fn report_leaving(&self, on_event: &mut (dyn FnMut(Event) + Send)) {
        for (file, found) in &self.beyond {
            if found.reach.leaves_the_server() {
                let Position { line, column } = Position::of_byte(&file.sql, found.offset);
                on_event(Event::LeavesServer {
                    place: format!("{}:{line}:{column}", file.path),
                    reason: found.reach.to_string(),
                });
            }
        }
    }
}
