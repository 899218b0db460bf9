//! The exit codes of `migrator`. They are a contract with scripts: a number never changes its
//! meaning.

/// Done, also when there was nothing to do.
pub const DONE: u8 = 0;

/// The answer is no: `status --check` found pending migrations, `lint` found something, `health`
/// found a database that cannot be used or is above a limit that was set, `drift` a difference,
/// `dump --check` a file that is not current, a script that `new --from-drift` wrote did not work when it
/// was tried, or a question was answered with no. No database was changed.
pub const NO: u8 = 1;

/// Wrong usage or configuration: a bad option, connection string, certificate file or migration
/// file, or a role that cannot be given its rights. No database was changed; running the same
/// command again gives the same answer.
pub const USAGE: u8 = 2;

/// The database could not be reached, refused (wrong password, unknown database, untrusted
/// certificate), or another session held the migration lock for too long.
pub const UNREACHABLE_OR_LOCKED: u8 = 3;

/// The history of the database and the migration files have diverged: an applied migration was
/// edited, is missing, or one was added before the newest applied. Nothing was run.
pub const DIVERGED: u8 = 4;

/// A migration failed and was rolled back. Those before it stay applied.
pub const FAILED_MIGRATION: u8 = 5;

/// A migration without a transaction is incomplete: nothing more is applied or undone until
/// `migrator repair`. Both the failure itself and the refusals after it.
pub const INCOMPLETE: u8 = 6;

/// `check`: an applied migration was edited. Of several findings the most severe, which has the
/// smallest number, is the exit code.
pub const CHECK_EDITED: u8 = 10;

/// `check`: an applied migration is missing from the migrations.
pub const CHECK_MISSING: u8 = 11;

/// `check`: a migration is pending although a later one is applied.
pub const CHECK_OUT_OF_ORDER: u8 = 12;

/// `check`: a migration broke off in the middle.
pub const CHECK_INCOMPLETE: u8 = 13;

/// `check`: a script that undoes does not undo.
pub const CHECK_UNDO: u8 = 14;

/// `check`: a migration has no script that undoes it.
pub const CHECK_NO_UNDO_SCRIPT: u8 = 15;

/// `check`: `lint` finds something in a pending migration.
pub const CHECK_LINT: u8 = 16;

/// `check`: a migration is pending.
pub const CHECK_PENDING: u8 = 17;

/// `check`: a column of the database makes the API's inserts fail.
pub const CHECK_REQUIRED_COLUMN: u8 = 18;

/// The terminal went away while a shadow database was in use, which was removed: 128 and the number
/// of the signal, as in shells.
pub const HUNG_UP: u8 = 129;

/// Ctrl-C while a shadow database was in use, which was removed.
pub const INTERRUPTED: u8 = 130;

/// A request to end (SIGTERM) while a shadow database was in use, which was removed.
pub const TERMINATED: u8 = 143;
