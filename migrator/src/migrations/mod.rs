//! The set of migrations: those embedded in this binary, or the files of a folder.

pub(crate) mod checksum;
pub(crate) mod directive;
mod file_name;
pub(crate) mod new_files;
#[cfg(test)]
mod properties;
pub(crate) mod vouched;

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use crate::error::Error;
use crate::migrations::file_name::{overlooked, parse_stem};
use crate::model::{MigrationName, TransactionMode};

/// `(file name, content)` of the scripts in `migrations/` and of `lint.allow`, listed by the build
/// script.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_migrations.rs"));

pub(crate) const UNDO_SUFFIX: &str = ".down.sql";

/// File of the findings that `lint` accepts, in a folder of migrations.
pub(crate) const ALLOW_FILE: &str = "lint.allow";

/// One migration and the script that undoes it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) name: MigrationName,
    /// Over name, version and content, as refinery computes it.
    pub(crate) checksum: u64,
    pub(crate) apply: File,
    pub(crate) undo: Option<File>,
}

/// One file, of SQL but for [`ALLOW_FILE`], called as messages should call it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    /// Path of the file, relative as the folder was given; the name of a built-in one.
    pub(crate) path: String,
    pub(crate) sql: String,
    pub(crate) mode: TransactionMode,
}

/// A valid set of migrations, ordered by version.
#[derive(Clone, Debug)]
pub struct Migrations {
    scripts: Vec<Script>,
    allowances: Option<File>,
}

impl Migrations {
    /// The migrations of this repository, as they were when this binary was built.
    pub fn embedded() -> Self {
        let files = EMBEDDED.iter().map(|&(name, sql)| (name.to_owned(), sql.to_owned())).collect();
        match Self::from_files(None, files) {
            Ok(migrations) => migrations,
            Err(problems) => {
                unreachable!("a test holds the embedded migrations to be valid: {problems:?}")
            }
        }
    }

    /// The migrations in a folder: its files ending in `.sql`, not those of folders within it; and
    /// what [`lint`](crate::lint()) is to accept in them, in `lint.allow`.
    ///
    /// Every such file must be a migration or an undo script, and no other may look like one; all
    /// problems are reported together.
    pub fn from_dir(dir: &Path) -> Result<Self, Error> {
        let unreadable = |path: &Path, error: io::Error| Error::ReadMigrations {
            path: path.to_owned(),
            source: error,
        };
        let mut files = Vec::new();
        let mut others = Vec::new();
        for entry in fs::read_dir(dir).map_err(|error| unreadable(dir, error))? {
            let path = entry.map_err(|error| unreadable(dir, error))?.path();
            let is_script = path.extension().is_some_and(|extension| extension == "sql");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if (is_script || path.ends_with(ALLOW_FILE)) && !path.is_dir() {
                let sql = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
                files.push((name, sql));
            } else {
                others.push(name);
            }
        }
        let mut problems = overlooked(&others, &files);
        let migrations = Self::from_files(Some(dir), files);
        problems.extend(migrations.as_ref().err().into_iter().flatten().cloned());
        match migrations {
            Ok(migrations) if problems.is_empty() => Ok(migrations),
            Ok(_) | Err(_) => Err(Error::MigrationFiles { dir: dir.to_owned(), problems }),
        }
    }

    /// Number of migrations.
    pub fn len(&self) -> usize {
        self.scripts.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// Their names, in the order in which they are applied.
    pub fn names(&self) -> impl Iterator<Item = &MigrationName> {
        self.scripts.iter().map(|script| &script.name)
    }

    pub(crate) fn scripts(&self) -> &[Script] {
        &self.scripts
    }

    /// The text of a file, by its name.
    pub fn source(&self, name: &str) -> Option<&str> {
        let scripts = self.scripts.iter();
        let scripts = scripts.flat_map(|script| [Some(&script.apply), script.undo.as_ref()]);
        let mut files = scripts.chain([self.allowances.as_ref()]).flatten();
        files.find(|file| file.name == name).map(|file| file.sql.as_str())
    }

    /// The file of accepted findings, if there is one.
    pub(crate) fn allowances(&self) -> Option<&File> {
        self.allowances.as_ref()
    }

    pub(crate) fn find(&self, version: i64) -> Option<&Script> {
        self.scripts.iter().find(|script| script.name.version == version)
    }

    /// Refuses a version that is none of the migrations.
    pub(crate) fn require(&self, version: Option<i64>) -> Result<(), Error> {
        match version {
            Some(version) if self.find(version).is_none() => Err(Error::UnknownTarget { version }),
            Some(_) | None => Ok(()),
        }
    }

    fn from_files(
        dir: Option<&Path>,
        mut files: Vec<(String, String)>,
    ) -> Result<Self, Vec<String>> {
        files.sort();
        let mut problems = Vec::new();
        let mut scripts: BTreeMap<i64, Script> = BTreeMap::new();
        let mut undo_files = Vec::new();
        let mut allowances = None;
        for (file, sql) in files {
            let path =
                dir.map_or_else(|| file.clone(), |dir| dir.join(&file).display().to_string());
            if file == ALLOW_FILE {
                let mode = TransactionMode::One;
                allowances = Some(File { name: file, path, sql, mode });
                continue;
            }
            let undo_stem = file.strip_suffix(UNDO_SUFFIX);
            let stem = undo_stem.unwrap_or_else(|| file.strip_suffix(".sql").unwrap_or(&file));
            let name = match parse_stem(stem) {
                Ok(name) => name,
                Err(problem) => {
                    problems.push(format!("`{file}`: {problem}"));
                    continue;
                }
            };
            if sql.starts_with('\u{feff}') {
                problems.push(format!(
                    "`{file}`: begins with a byte order mark, which PostgreSQL does not take; save it without"
                ));
                continue;
            }
            if sql.contains('\0') {
                problems.push(format!(
                    "`{file}`: contains a null byte, which PostgreSQL does not take"
                ));
                continue;
            }
            let mode = match directive::read(&sql) {
                Ok(mode) => mode,
                Err(problem) => {
                    problems.push(format!("`{file}`: {problem}"));
                    continue;
                }
            };
            if undo_stem.is_some() {
                undo_files.push((name, File { name: file, path, sql, mode }));
                continue;
            }
            let checksum = checksum::of_migration(&name, &sql);
            let version = name.version;
            let apply = File { name: file, path, sql, mode };
            let script = Script { name, checksum, apply, undo: None };
            if let Some(first) = scripts.get(&version) {
                problems.push(format!(
                    "`{}`: version {version} is taken by `{}` already",
                    script.apply.name, first.apply.name
                ));
            } else {
                scripts.insert(version, script);
            }
        }
        for (name, undo) in undo_files {
            match scripts.get_mut(&name.version) {
                Some(script) if script.name == name => script.undo = Some(undo),
                _ => problems
                    .push(format!("`{}`: there is no `{name}.sql` that it could undo", undo.name)),
            }
        }
        if problems.is_empty() {
            Ok(Self { scripts: scripts.into_values().collect(), allowances })
        } else {
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{ALLOW_FILE, EMBEDDED, Migrations};
    use crate::sql;

    fn from(files: &[(&str, &str)]) -> Result<Migrations, Vec<String>> {
        Migrations::from_files(
            None,
            files.iter().map(|&(name, sql)| (name.to_owned(), sql.to_owned())).collect(),
        )
    }

    fn names(migrations: &Migrations) -> Vec<String> {
        migrations.names().map(ToString::to_string).collect()
    }

    #[test]
    fn the_embedded_migrations_are_the_files_in_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let mut files: Vec<String> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
            .filter(|name| {
                name == ALLOW_FILE || Path::new(name).extension().is_some_and(|ext| ext == "sql")
            })
            .collect();
        files.sort();
        assert_eq!(EMBEDDED.iter().map(|(name, _)| *name).collect::<Vec<_>>(), files);
    }

    #[test]
    fn a_byte_order_mark_is_refused_by_name() {
        let problems = from(&[("V1__a.sql", "\u{feff}create table a ();")]).err();
        let problems = problems.expect("PostgreSQL would report a syntax error");
        assert!(
            problems[0].starts_with("`V1__a.sql`: begins with a byte order mark"),
            "{problems:?}"
        );
    }

    #[test]
    fn every_embedded_migration_is_valid_and_can_be_undone() {
        let migrations = Migrations::embedded();
        assert!(!migrations.is_empty());
        for script in migrations.scripts() {
            assert!(script.undo.is_some(), "{}", script.name);
        }
    }

    #[test]
    fn no_embedded_script_controls_its_own_transaction() {
        for (name, sql) in EMBEDDED.iter().filter(|(name, _)| *name != ALLOW_FILE) {
            assert!(
                sql::statements(sql).iter().all(|statement| statement.unsupported().is_none()),
                "{name}"
            );
        }
    }

    #[test]
    fn refinery_takes_the_folder_for_the_same_migrations() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
        let theirs = refinery::load_sql_migrations(folder).expect("refinery reads the folder");
        let theirs: Vec<_> = theirs.iter().map(|m| (m.to_string(), m.checksum())).collect();
        let ours = Migrations::embedded();
        let ours: Vec<_> = ours
            .scripts()
            .iter()
            .map(|script| (script.name.to_string(), script.checksum))
            .collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn migrations_are_ordered_by_version_and_may_have_gaps() {
        let migrations = from(&[
            ("V10__c.sql", ""),
            ("V2__b.sql", ""),
            ("V1__a.sql", ""),
            ("V2__b.down.sql", ""),
        ]);
        let migrations = migrations.expect("a valid set");
        assert_eq!(names(&migrations), ["V1__a", "V2__b", "V10__c"]);
        assert_eq!(
            migrations.scripts().iter().map(|script| script.undo.is_some()).collect::<Vec<_>>(),
            [false, true, false]
        );
    }

    #[test]
    fn every_problem_of_a_set_is_reported() {
        let problems = from(&[
            ("V1__a.sql", ""),
            ("V01__other.sql", ""),
            ("V2__b.down.sql", ""),
            ("notes.sql", ""),
            ("V3__wrong-name.sql", ""),
        ])
        .expect_err("an invalid set");
        assert_eq!(
            problems,
            [
                "`V1__a.sql`: version 1 is taken by `V01__other.sql` already",
                "`V3__wrong-name.sql`: not named like `V1__what_it_does.sql`: rename it to `V3__wrong_name.sql`",
                "`notes.sql`: not named like `V1__what_it_does.sql`",
                "`V2__b.down.sql`: there is no `V2__b.sql` that it could undo",
            ]
        );
    }
}
