//! The files of a new migration and their names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::{DateTime, NaiveDateTime, Utc};

use crate::error::Error;
use crate::migrations::UNDO_SUFFIX;
use crate::model::MigrationName;

/// Timestamps of 14 digits, as other tools number migrations: year to second, in UTC.
const TIMESTAMP: &str = "%Y%m%d%H%M%S";

/// The files of a new migration, not written yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMigrationFiles {
    /// Name of the migration.
    pub name: MigrationName,
    /// The migration.
    pub apply: PathBuf,
    /// The script that undoes it.
    pub undo: PathBuf,
}

impl NewMigrationFiles {
    /// The next version in `dir`, a timestamp where the newest one is, called after `title` in lower case with underscores.
    ///
    /// Looks at file names only, so that a set with a mistake in it can still be added to.
    pub fn next(dir: &Path, title: &str) -> Result<Self, Error> {
        let name = to_snake_case(title);
        if name.is_empty() {
            return Err(Error::InvalidMigrationName { title: title.to_owned() });
        }
        let entries = match fs::read_dir(dir) {
            Ok(entries) => Some(entries),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::ReadMigrations { path: dir.to_owned(), source }),
        };
        let versions = entries.into_iter().flatten().filter_map(|entry| {
            let file = entry.ok()?.file_name();
            let (version, _name) = file.to_str()?.strip_prefix(['V', 'v'])?.split_once("__")?;
            version.parse::<i64>().ok()
        });
        let version = version_after(versions.max().unwrap_or(0), Utc::now())
            .ok_or_else(|| Error::InvalidMigrationName { title: title.to_owned() })?;
        let name = MigrationName { version, name };
        Ok(Self {
            apply: dir.join(format!("{name}.sql")),
            undo: dir.join(format!("{name}{UNDO_SUFFIX}")),
            name,
        })
    }
}

/// The version after the newest one: the next number, or the time where the newest is a time.
fn version_after(newest: i64, now: DateTime<Utc>) -> Option<i64> {
    let next = newest.checked_add(1)?;
    let is_time = NaiveDateTime::parse_from_str(&newest.to_string(), TIMESTAMP).is_ok();
    let time = is_time.then(|| now.format(TIMESTAMP).to_string().parse().ok()).flatten();
    Some(time.map_or(next, |time: i64| time.max(next)))
}

/// `Add due-date index!` becomes `add_due_date_index`, `AddDueDate` becomes `add_due_date`.
fn to_snake_case(title: &str) -> String {
    let mut name = String::new();
    let mut previous_is_lower = false;
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && previous_is_lower {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        previous_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{to_snake_case, version_after};

    #[test]
    fn versions_go_on_as_they_began() {
        let now = DateTime::from_timestamp(1_706_704_496, 0).expect("a time");
        for (newest, next) in [
            (0, 1),
            (41, 42),
            (20_240_131, 20_240_132),
            (20_240_101_000_000, 20_240_131_123_456),
            (20_300_101_000_000, 20_300_101_000_001),
            (20_240_131_123_456, 20_240_131_123_457),
            (99_999_999_999_999, 100_000_000_000_000),
        ] {
            assert_eq!(version_after(newest, now), Some(next), "{newest}");
        }
        assert_eq!(version_after(i64::MAX, now), None);
    }

    #[test]
    fn titles_become_names() {
        for (title, name) in [
            ("add_due_date", "add_due_date"),
            ("Add due-date index!", "add_due_date_index"),
            ("AddDueDate", "add_due_date"),
            ("  V2: more  ", "v2_more"),
            ("../../etc/passwd", "etc_passwd"),
            ("größe", "gr_e"),
            ("!?", ""),
        ] {
            assert_eq!(to_snake_case(title), name, "{title}");
        }
    }
}
