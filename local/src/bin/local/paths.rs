//! Where the project is, and the files that this command keeps in it.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folder with `spin.toml`.
pub(crate) struct ProjectPaths {
    root: PathBuf,
}

impl ProjectPaths {
    /// The nearest folder upwards with a `spin.toml`, else the one that this program was built from.
    pub(crate) fn find() -> ProjectPaths {
        let here = std::env::current_dir().unwrap_or_default();
        let root = here
            .ancestors()
            .find(|folder| folder.join("spin.toml").is_file())
            .map_or_else(built_from, Path::to_owned);
        ProjectPaths { root }
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// Spin's runtime configuration file, when there is one.
    pub(crate) fn runtime_config(&self) -> Option<PathBuf> {
        Some(self.root.join("runtime-config.toml")).filter(|path| path.is_file())
    }

    /// What this command keeps between runs; not under version control.
    pub(crate) fn kept(&self) -> PathBuf {
        self.root.join(".taskie")
    }

    /// Sets the variables in `.env` that are not set already. Its content, secrets among it, is not repeated.
    pub(crate) fn load_dot_env(&self) -> Result<(), Failure> {
        match dotenvy::from_path(self.root.join(".env")) {
            Ok(()) => Ok(()),
            Err(error) if error.not_found() => Ok(()),
            Err(dotenvy::Error::LineParse(..)) => {
                Err(Failure::DotEnv("a line is malformed".to_owned()))
            }
            Err(dotenvy::Error::Io(error)) => Err(Failure::DotEnv(error.to_string())),
            Err(_) => Err(Failure::DotEnv("it cannot be used".to_owned())),
        }
    }
}

fn built_from() -> PathBuf {
    let local = Path::new(env!("CARGO_MANIFEST_DIR"));
    local.parent().unwrap_or(local).to_owned()
}
