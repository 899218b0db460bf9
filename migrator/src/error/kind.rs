//! The kinds of errors: their names in JSON and their exit codes, both contracts with scripts.

use super::exit_code::{
    DIVERGED, FAILED_MIGRATION, HUNG_UP, INCOMPLETE, INTERRUPTED, TERMINATED,
    UNREACHABLE_OR_LOCKED, USAGE,
};

/// The kind of an error.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The name in JSON.
    pub(crate) name: &'static str,
    pub(crate) exit_code: u8,
}

const fn kind(name: &'static str, exit_code: u8) -> Kind {
    Kind { name, exit_code }
}

pub(super) const BASELINE: Kind = kind("baseline", USAGE);
pub(super) const BEYOND_DATABASE: Kind = kind("beyond_database", USAGE);
pub(super) const CATALOG: Kind = kind("catalog", UNREACHABLE_OR_LOCKED);
pub(super) const CATALOG_WITHOUT_SCHEMA: Kind = kind("catalog", USAGE);
pub(super) const CERTIFICATE_AUTHORITY: Kind = kind("certificate_authority", USAGE);
pub(super) const CONFIRMATION_NEEDED: Kind = kind("confirmation_needed", USAGE);
pub(super) const CONNECTION_LOST: Kind = kind("connection_lost", UNREACHABLE_OR_LOCKED);
pub(super) const DATABASE_URL: Kind = kind("database_url", USAGE);
pub(super) const DIVERGED_HISTORY: Kind = kind("diverged", DIVERGED);
pub(super) const DOT_ENV: Kind = kind("dot_env", USAGE);
pub(super) const DUMP: Kind = kind("dump", USAGE);
pub(super) const FAILED_SCRIPT: Kind = kind("failed_migration", FAILED_MIGRATION);
pub(super) const FAILED_SCRIPT_INCOMPLETE: Kind = kind("failed_migration", INCOMPLETE);
pub(super) const GRANT: Kind = kind("grant", UNREACHABLE_OR_LOCKED);
pub(super) const GRANT_DENIED: Kind = kind("grant", USAGE);
pub(super) const HISTORY: Kind = kind("history", DIVERGED);
pub(super) const INCOMPLETE_MIGRATION: Kind = kind("incomplete", INCOMPLETE);
pub(super) const INCOMPLETE_REPAIR: Kind = kind("incomplete", USAGE);
pub(super) const LOCKED: Kind = kind("locked", UNREACHABLE_OR_LOCKED);
pub(super) const MIGRATION_FILES: Kind = kind("migration_files", USAGE);
pub(super) const MISSING_TABLES: Kind = kind("missing_tables", USAGE);
pub(super) const NEW_MIGRATION: Kind = kind("new_migration", USAGE);
pub(super) const NO_UNDO_SCRIPT: Kind = kind("no_undo_script", USAGE);
pub(super) const PENDING: Kind = kind("pending", USAGE);
pub(super) const QUERY: Kind = kind("query", UNREACHABLE_OR_LOCKED);
pub(super) const REFUSED: Kind = kind("refused", UNREACHABLE_OR_LOCKED);
pub(super) const ROLE: Kind = kind("role", USAGE);
pub(super) const SHADOW_COPY: Kind = kind("shadow_copy", USAGE);
pub(super) const SHADOW_DATABASE: Kind = kind("shadow_database", UNREACHABLE_OR_LOCKED);
pub(super) const SHADOW_DATABASE_DENIED: Kind = kind("shadow_database", USAGE);
pub(super) const SIGNAL_HANGUP: Kind = kind("interrupted", HUNG_UP);
pub(super) const SIGNAL_INTERRUPT: Kind = kind("interrupted", INTERRUPTED);
pub(super) const SIGNAL_TERMINATE: Kind = kind("interrupted", TERMINATED);
pub(super) const TARGET: Kind = kind("target", USAGE);
pub(super) const TIMEZONE: Kind = kind("timezone", USAGE);
pub(super) const TLS: Kind = kind("tls", UNREACHABLE_OR_LOCKED);
pub(super) const UNREACHABLE: Kind = kind("unreachable", UNREACHABLE_OR_LOCKED);
