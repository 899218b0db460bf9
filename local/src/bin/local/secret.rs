//! The secret that signs tokens: a variable, or a file that is created once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use local::{Error, ErrorKind};

use crate::paths::ProjectPaths;

/// Mode of the file: with the secret, one can sign tokens of every user.
const OWNER_ONLY: u32 = 0o600;

/// `SPIN_VARIABLE_JWT_SECRET`, else the content of the file, which is created if it is missing or empty.
pub(crate) fn load_or_create(paths: &ProjectPaths) -> Result<String, Error> {
    if let Some(secret) = variable("jwt_secret") {
        return Ok(secret);
    }
    let path = paths.kept().join("jwt-secret");
    match fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().to_owned()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::file(ErrorKind::Config, "read", path)(error));
        }
        _ => {}
    }
    let secret = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    fs::create_dir_all(paths.kept())
        .and_then(|()| {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&path)
        })
        .and_then(|mut file| writeln!(file, "{secret}"))
        .map_err(Error::file(ErrorKind::Config, "write", path))?;
    Ok(secret)
}

/// A variable of `spin.toml` in the environment; an empty one counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(local::environment_name(name)).ok().filter(|value| !value.is_empty())
}
