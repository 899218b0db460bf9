//! Lists the scripts of `migrations/` and `lint.allow` for embedding, so that a new one cannot be
//! forgotten.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let is_script = path.extension().is_some_and(|extension| extension == "sql");
        if is_script || path.ends_with("lint.allow") {
            files.push(path);
        }
    }
    files.sort();

    let mut list = String::from("&[\n");
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({:?})),", path.display().to_string())
            .expect("writing to a string does not fail");
    }
    list.push(']');
    let target = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    fs::write(Path::new(&target).join("embedded_migrations.rs"), list)
}
