//! Statements of a script that reach beyond its database: to the server's roles, databases and
//! settings, to its files and processes, or to other servers.
//!
//! A script is read as PostgreSQL reads it: statement by statement, in `do` blocks, in the bodies of
//! functions and procedures, and in the constant parts of the text that `execute` runs. The rest of a
//! dynamic statement is unknown here: [`Scripts::look_through`] reports it only where nothing could
//! take it back. What a transaction did is found out by the server itself
//! (`run/shared_catalogs.rs`).

mod dynamic;
mod mentions;
mod scan;
mod statement;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeSet;
use std::fmt;

use scan::Scan;

use super::{may_commit, statements};

/// What a statement reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Roles,
    Memberships,
    Databases,
    Tablespaces,
    Subscriptions,
    Parameters,
    Owned,
    Program,
    ServerFile,
    /// A function that acts on the whole server or on another one.
    Function(String),
    SharedCatalog(String),
    ForeignTable(String),
    /// Tables of another server, under names that only that server knows.
    ForeignSchema,
    /// Code in a language that may do everything.
    Untrusted(String),
    /// A dynamic statement outside a transaction.
    Unknown,
}

/// A place in a script that reaches beyond the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The byte offset in the script.
    pub(crate) offset: usize,
    pub(crate) reach: Reach,
}

/// A schema that a script creates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CreatedSchema {
    /// `None` is that of a role: `create schema authorization`.
    pub(crate) name: Option<String>,
    pub(crate) if_not_exists: bool,
}

/// What is known about one script.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// In the order of the script.
    pub(crate) found: Vec<Found>,
    /// Names of roles that it creates, as far as they are constant.
    pub(crate) roles: BTreeSet<String>,
    pub(crate) schemas: BTreeSet<CreatedSchema>,
}

impl Reach {
    /// True if another server for the shadow database does not confine it.
    pub(crate) fn leaves_the_server(&self) -> bool {
        match self {
            Self::Program | Self::ForeignTable(_) | Self::ForeignSchema | Self::Untrusted(_) => {
                true
            }
            Self::Function(name) => mentions::connects(name),
            _ => false,
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roles => f.write_str("roles belong to the whole server"),
            Self::Memberships => f.write_str("memberships in roles belong to the whole server"),
            Self::Databases => f.write_str("databases belong to the whole server"),
            Self::Tablespaces => f.write_str("tablespaces belong to the whole server"),
            Self::Subscriptions => f.write_str("a subscription has a slot on another server"),
            Self::Parameters => {
                f.write_str("settings and their privileges belong to the whole server")
            }
            Self::Owned => {
                f.write_str("this also reaches what the role owns or may do outside the database")
            }
            Self::Program => f.write_str("a program on the server may do anything"),
            Self::ServerFile => f.write_str("this writes a file of the server"),
            Self::Function(name) => write!(f, "`{name}` acts outside the database"),
            Self::SharedCatalog(name) => write!(f, "`{name}` belongs to the whole server"),
            Self::ForeignTable(name) => write!(f, "`{name}` is a table of another server"),
            Self::ForeignSchema => f.write_str("this connects to another server"),
            Self::Untrusted(language) => write!(f, "`{language}` may do anything on the server"),
            Self::Unknown => f.write_str(
                "this may run a statement that is not known before, and nothing could take it back",
            ),
        }
    }
}

/// Facts about all scripts together, which decide what a statement of one does.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    /// Routines that run text which they get.
    dynamic: BTreeSet<String>,
    /// Tables of other servers, and the tables and views that pass writes on to them.
    foreign_tables: BTreeSet<String>,
}

impl Scripts {
    pub(crate) fn survey<'a>(scripts: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        all.dynamic.extend(mentions::RUN_TEXT.iter().map(|name| (*name).to_owned()));
        let mut calls: Vec<(String, BTreeSet<String>)> = Vec::new();
        let mut relations: Vec<(String, BTreeSet<String>)> = Vec::new();
        for script in scripts {
            let mut scan = Scan::new(&all);
            scan.script(script);
            let Scan { routines, foreign_tables, passing_on, .. } = scan;
            for routine in routines {
                if routine.is_dynamic {
                    all.dynamic.insert(routine.name.clone());
                }
                calls.push((routine.name, routine.calls));
            }
            all.foreign_tables.extend(foreign_tables);
            relations.extend(passing_on);
        }
        // A routine that calls such a routine may pass text on.
        spread(&mut all.dynamic, &calls);
        spread(&mut all.foreign_tables, &relations);
        all
    }

    /// Looks through one of the scripts that run in a transaction.
    pub(crate) fn look_through(&self, script: &str) -> Contents {
        let mut scan = Scan::new(self);
        scan.script(script);
        let mut contents = scan.contents;
        contents.found.sort_by_key(|found| found.offset);
        contents.found.dedup_by_key(|found| found.offset);
        contents
    }

    /// Looks through one that runs statement by statement: what a dynamic statement did there, and
    /// committed, could not be taken back.
    pub(crate) fn look_through_non_transactional(&self, script: &str) -> Contents {
        let mut contents = self.look_through(script);
        for statement in statements(script) {
            let text = statement.text(script);
            if !may_commit(text) {
                continue;
            }
            let mut scan = Scan::new(self);
            scan.script(text);
            if scan.is_dynamic || !scan.calls.is_disjoint(&self.dynamic) {
                contents.found.push(Found { offset: statement.start, reach: Reach::Unknown });
            }
        }
        contents.found.sort_by_key(|found| found.offset);
        contents
    }
}

/// Adds the names that lead to one of the set, directly or by others.
fn spread(set: &mut BTreeSet<String>, leading: &[(String, BTreeSet<String>)]) {
    loop {
        let known = set.len();
        for (name, others) in leading {
            if !others.is_disjoint(set) {
                set.insert(name.clone());
            }
        }
        if set.len() == known {
            return;
        }
    }
}
