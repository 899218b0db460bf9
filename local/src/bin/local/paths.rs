//! The project's folder and the files in it.

use std::path::{Path, PathBuf};

use local::{Error, ErrorKind};

/// The folder with `spin.toml`.
pub(crate) struct ProjectPaths {
    root: PathBuf,
}

impl ProjectPaths {
    /// The nearest folder upwards with a `spin.toml`, else the one that this program was built in.
    pub(crate) fn find() -> ProjectPaths {
        let here = std::env::current_dir().unwrap_or_default();
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().find(|folder| folder.join("spin.toml").is_file());
        ProjectPaths { root: root.or(built_in.parent()).unwrap_or(built_in).to_owned() }
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("spin.toml")
    }

    /// The same application, built for WASI 0.2.
    pub(crate) fn wasip2_manifest(&self) -> PathBuf {
        self.root.join("spin-wasip2.toml")
    }

    /// Spin's runtime configuration file, if there is one.
    pub(crate) fn runtime_config(&self) -> Option<PathBuf> {
        Some(self.root.join("runtime-config.toml")).filter(|path| path.is_file())
    }

    /// Files that this program keeps between runs; not under version control.
    pub(crate) fn kept(&self) -> PathBuf {
        self.root.join(".taskie")
    }

    fn dot_env(&self) -> PathBuf {
        self.root.join(".env")
    }

    /// Names the `.env` file, and says if it is there.
    pub(crate) fn describe_dot_env(&self) -> String {
        let path = self.dot_env();
        let file = path.display();
        if path.exists() {
            format!("Variables are read from `{file}`")
        } else {
            format!("No variables are read from `{file}`: there is no such file")
        }
    }

    /// Sets the variables in the project's `.env` that are not set already. No error shows its content, which
    /// may be secret.
    pub(crate) fn load_dot_env(&self) -> Result<(), Error> {
        let path = self.dot_env();
        let reason = match dotenvy::from_path(&path) {
            Ok(()) => return Ok(()),
            Err(error) if error.not_found() => return Ok(()),
            Err(dotenvy::Error::LineParse(line, _)) => {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                match text.find(&line).filter(|_| !line.is_empty()) {
                    Some(start) => {
                        format!("line {} is not valid", text[..start].lines().count() + 1)
                    }
                    None => "a line is not valid".to_owned(),
                }
            }
            Err(dotenvy::Error::Io(error)) => error.to_string(),
            Err(_) => "a variable is not valid".to_owned(),
        };
        let message = format!("cannot use `{}`: {reason}", path.display());
        Err(Error::new(ErrorKind::Config, message)
            .with_hint("each line is `NAME=value`; quote a value with spaces or `#`"))
    }
}
