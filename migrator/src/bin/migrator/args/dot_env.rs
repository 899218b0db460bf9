//! The `.env` files: of the working folder and of the project's root. Not of other folders above, which
//! may belong to somebody else.

use std::env;
use std::path::PathBuf;

use migrator::Error;

/// File of variables.
const DOT_ENV: &str = ".env";

/// File by which the root of the project is known.
const MANIFEST: &str = "spin.toml";

/// The `.env` files that were looked for.
pub(crate) struct DotEnv {
    /// Path of each file, and whether it is there.
    files: Vec<(PathBuf, bool)>,
    result: Result<(), Error>,
}

impl DotEnv {
    /// Sets the variables in the files that are not set already; the working folder comes first.
    pub(crate) fn load() -> Self {
        let here = env::current_dir().unwrap_or_default();
        let root = here.ancestors().find(|folder| folder.join(MANIFEST).is_file());
        let root = root.filter(|root| *root != here);
        let mut files = Vec::new();
        let mut result = Ok(());
        for folder in [Some(here.as_path()), root].into_iter().flatten() {
            let path = folder.join(DOT_ENV);
            let loaded = dotenvy::from_path(&path);
            let is_there = !loaded.as_ref().is_err_and(dotenvy::Error::not_found);
            result = result.and(check(loaded));
            files.push((path, is_there));
        }
        Self { files, result }
    }

    /// The error of the first file that cannot be used.
    pub(crate) fn check(self) -> Result<(), Error> {
        self.result
    }

    /// What was read and what was not there, a line each.
    pub(crate) fn describe(&self) -> Vec<String> {
        let line = |(path, is_there): &(PathBuf, bool)| {
            let path = path.display();
            if *is_there {
                format!("Variables are read from `{path}`")
            } else {
                format!("No variables are read from `{path}`: there is no such file")
            }
        };
        self.files.iter().map(line).collect()
    }
}

/// A missing file is the normal case. Of a broken one nothing is repeated: it holds secrets.
fn check(loaded: dotenvy::Result<()>) -> Result<(), Error> {
    match loaded {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(..)) => {
            Err(Error::DotEnv { reason: "a line in it is not `NAME=VALUE`".to_owned() })
        }
        Err(dotenvy::Error::Io(error)) => Err(Error::DotEnv { reason: error.to_string() }),
        Err(_) => Err(Error::DotEnv { reason: "it cannot be understood".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    use super::check;

    const MARK: &str = "Zq7wXsecretXw7qZ";

    proptest! {
        #![proptest_config(Config { rng_seed: RngSeed::Fixed(20_261_128), failure_persistence: None, ..Config::default() })]

        /// Whatever is in the file, and wherever it is broken.
        #[test]
        fn a_broken_file_is_an_error_that_repeats_nothing_of_it(
            before in "([A-Z]{1,4}=[a-z]{0,4}\n|\\PC{0,10}\n){0,3}",
            name in "[A-Z_]{0,8}|[ -~]{0,8}",
            quote in "['\"]?",
            after in "[ -~]{0,10}|\\PC{0,6}",
        ) {
            let text = format!("{before}{name}={quote}{MARK}{after}\n");
            let read = dotenvy::from_read_iter(text.as_bytes()).collect::<dotenvy::Result<Vec<_>>>();
            if let Err(error) = check(read.map(drop)) {
                prop_assert!(!format!("{error} {error:?}").contains(MARK), "{}", error);
            }
        }
    }
}
