//! Folders of migrations.

use std::fs;

use tempfile::TempDir;

/// A folder of migrations, removed with its test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().expect("create a folder"));
        for (name, sql) in files {
            folder.write(name, sql);
        }
        folder
    }

    /// Three migrations that can be undone.
    pub(crate) fn with_three_migrations() -> Self {
        Self::new(&[
            ("V1__one.sql", "create table one (id int);"),
            ("V1__one.down.sql", "drop table one;"),
            ("V2__two.sql", "create table two (id int);"),
            ("V2__two.down.sql", "drop table two;"),
            ("V3__three.sql", "create table three (id int);"),
            ("V3__three.down.sql", "drop table three;"),
        ])
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().expect("a plain path")
    }

    pub(crate) fn write(&self, name: &str, sql: &str) {
        fs::write(self.0.path().join(name), sql).expect("write a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).expect("read a file")
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.0.path().join(name)).expect("remove a file");
    }

    /// The names of the files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .expect("read the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
            .collect();
        names.sort();
        names
    }
}
