//! The files of a new migration and their names.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::Error;
use crate::migrations::UNDO_SUFFIX;
use crate::model::MigrationName;

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
    /// The next version in `dir`, called after `title` in lower case with underscores.
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
            version.parse::<i32>().ok()
        });
        let newest = versions.max().unwrap_or(0);
        let version = newest
            .checked_add(1)
            .ok_or_else(|| Error::InvalidMigrationName { title: title.to_owned() })?;
        let name = MigrationName { version, name };
        Ok(Self {
            apply: dir.join(format!("{name}.sql")),
            undo: dir.join(format!("{name}{UNDO_SUFFIX}")),
            name,
        })
    }
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
    use super::to_snake_case;

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
