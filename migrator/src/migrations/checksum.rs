//! refinery's checksums: of a migration, for the history, and of the first statements of a script.
//! They are stored in databases, so what goes into them never changes.

use std::hash::{Hash as _, Hasher as _};

use siphasher::sip::SipHasher13;

use crate::model::MigrationName;
use crate::sql;

/// Between two statements. What is between them in the file does not count.
const SEPARATOR: &[u8] = b";\n";

/// Checksum of a migration: as refinery calculates it, whose versions have 32 bits, or 64 with its
/// feature for larger ones.
pub(crate) fn of_migration(name: &MigrationName, sql: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    name.name.hash(&mut hasher);
    match i32::try_from(name.version) {
        Ok(version) => version.hash(&mut hasher),
        Err(_) => name.version.hash(&mut hasher),
    }
    sql.hash(&mut hasher);
    hasher.finish()
}

/// Checksum of the first statements of a script, one after the other: that of a migration
/// `V1__done` with these statements.
pub(crate) struct StatementsChecksum {
    hasher: SipHasher13,
    is_empty: bool,
}

impl StatementsChecksum {
    /// Checksum of no statements.
    pub(crate) fn new() -> Self {
        let mut hasher = SipHasher13::new();
        "done".hash(&mut hasher);
        1_i32.hash(&mut hasher);
        Self { hasher, is_empty: true }
    }

    /// Adds the next statement.
    pub(crate) fn add(&mut self, statement: &str) {
        if !self.is_empty {
            self.hasher.write(SEPARATOR);
        }
        self.is_empty = false;
        self.hasher.write(statement.as_bytes());
    }

    /// In decimal digits.
    pub(crate) fn value(&self) -> String {
        let mut hasher = self.hasher;
        // As the hash of a text ends.
        hasher.write_u8(0xff);
        hasher.finish().to_string()
    }
}

/// Checksum of the first statements of a script; none where it has fewer.
pub(crate) fn of_statements(script: &str, count: usize) -> Option<String> {
    let statements = sql::statements(script);
    let mut checksum = StatementsChecksum::new();
    for statement in statements.get(..count)? {
        checksum.add(statement.text(script));
    }
    Some(checksum.value())
}

#[cfg(test)]
mod tests {
    use refinery::Migration;

    use super::{of_migration, of_statements};
    use crate::model::MigrationName;

    #[test]
    fn checksums_are_those_of_refinery() {
        for sql in ["", "create table a ();", "größe\r\n", &"x".repeat(100)] {
            let theirs = Migration::unapplied("V20__add_it", sql).expect("a migration").checksum();
            let name = MigrationName { version: 20, name: "add_it".to_owned() };
            assert_eq!(of_migration(&name, sql), theirs, "{sql}");
        }
    }

    #[test]
    fn the_checksum_of_statements_is_that_of_a_migration_with_them() {
        let script = "a 'é'; b\n; c; d";
        for (count, joined) in [(0, ""), (1, "a 'é'"), (2, "a 'é';\nb"), (4, "a 'é';\nb;\nc;\nd")]
        {
            let theirs = Migration::unapplied("V1__done", joined).expect("a migration").checksum();
            assert_eq!(of_statements(script, count), Some(theirs.to_string()), "{count}");
        }
    }

    #[test]
    fn only_the_statements_that_are_done_count() {
        let sum = of_statements;
        assert_eq!(sum("a; b; c", 2), sum("-- x\na;\n b ; d", 2));
        assert_ne!(sum("a; b; c", 2), sum("a; c; b", 2));
        assert_ne!(sum("a; b", 1), sum("a; b", 2));
        assert_eq!(sum("a; b", 3), None);
        assert_eq!(sum("", 0), sum("a", 0));
    }
}
