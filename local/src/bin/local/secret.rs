//! The secret that tokens are signed with: given, or made once and kept for this machine.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use local::Error;
use rand::Rng;

use crate::paths::ProjectPaths;
use crate::token;

/// Whoever can read the file can be every user.
const OWNER_ONLY: u32 = 0o600;

/// `SPIN_VARIABLE_JWT_SECRET`, else the kept secret, which is made when there is none.
pub(crate) fn load_or_create(paths: &ProjectPaths) -> Result<String, Error> {
    if let Some(secret) = variable("jwt_secret") {
        return Ok(secret);
    }
    let path = paths.kept().join("jwt-secret");
    match fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().to_owned()),
        Ok(_) => create(&path),
        Err(error) if error.kind() == ErrorKind::NotFound => create(&path),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// A token with the issuer and the audience that the API expects. It always has an address, of a domain that nobody
/// owns when none is given, so that the API can make the user's account at a first task.
pub(crate) fn mint(secret: &str, user: &str, email: Option<&str>, lifetime: Duration) -> String {
    let email = email.map_or_else(|| format!("{user}@example.com"), str::to_owned);
    let issuer = variable("jwt_issuer");
    let audience = variable("jwt_audience");
    token::mint(secret, user, Some(&email), lifetime, issuer.as_deref(), audience.as_deref())
}

/// A variable of `spin.toml` as the environment sets it; empty counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    let value = std::env::var(local::environment_name(name)).ok()?;
    Some(value).filter(|value| !value.is_empty())
}

fn create(path: &Path) -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let secret = bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let written = (|| {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, OWNER_ONLY);
        writeln!(options.open(path)?, "{secret}")
    })();
    match written {
        Ok(()) => Ok(secret),
        Err(source) => Err(Error::Write { path: path.to_owned(), source }),
    }
}
