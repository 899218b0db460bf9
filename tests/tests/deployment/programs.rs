//! Runs a script of this repository in a folder of its own, with stand-ins for the programs that it calls.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tests::{CliOutput, workspace};
use tokio::process::Command;

/// Stand-ins, and the folder in which scripts run.
pub(crate) struct Programs {
    folder: TempDir,
}

impl Programs {
    /// Each stand-in has a name, and a body for `sh`. What they are called with is in [`Self::calls`].
    pub(crate) fn new(programs: &[(&str, &str)]) -> Self {
        let programs_and_folder = Self { folder: TempDir::new().expect("create a folder") };
        for folder in ["bin", "work", "home", "tmp"] {
            fs::create_dir(programs_and_folder.path(folder)).expect("create a folder");
        }
        for (name, body) in programs {
            let text = format!(
                "#!/bin/sh\nhere={folder}\necho \"{name} $*\" >>\"$here/calls\"\n{body}\n",
                folder = programs_and_folder.folder.path().display(),
            );
            programs_and_folder.write_program(&format!("bin/{name}"), &text);
        }
        programs_and_folder
    }

    /// A path below the folder of all this.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder in which scripts run.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// Writes a file below the folder in which scripts run.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("create its folder");
        fs::write(path, text).expect("write a file");
    }

    /// Reads a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("read a file")
    }

    /// Runs a script of this repository with these arguments and variables, and no other variables.
    pub(crate) async fn run(
        &self,
        script: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> CliOutput {
        let search_path = std::env::var("PATH").expect("a search path");
        let output = Command::new(workspace().join(script))
            .args(arguments)
            .current_dir(self.work())
            .env_clear()
            .env("PATH", format!("{}:{search_path}", self.path("bin").display()))
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .envs(variables.iter().copied())
            .output()
            .await
            .expect("run a script");
        assert_eq!(leftovers(&self.path("tmp")), 0, "temporary files are left behind");
        CliOutput::new(output)
    }

    /// The stand-ins' calls with their arguments, one a line.
    pub(crate) fn calls(&self) -> Vec<String> {
        fs::read_to_string(self.path("calls"))
            .map_or_else(|_| Vec::new(), |text| text.lines().map(str::to_owned).collect())
    }

    fn write_program(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::write(&path, text).expect("write a program");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("make it a program");
    }
}

fn leftovers(folder: &Path) -> usize {
    fs::read_dir(folder).expect("read a folder").count()
}

/// The built migrator, as a variable of the scripts.
pub(crate) async fn migrator() -> String {
    let path = tokio::task::spawn_blocking(tests::migrator).await.expect("build the migrator");
    path.to_str().expect("a plain path").to_owned()
}
