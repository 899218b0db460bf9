//! Everything that this component has to give, on one screen.

/// A file, as it is served.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) content: &'static [u8],
    /// Another one for another content; what `ETag` says.
    pub(crate) version: u64,
    /// Value of `Cache-Control`.
    pub(crate) kept: &'static str,
}

const INDEX: &[u8] = include_bytes!("../assets/index.html");

/// The files, by path.
const FILES: &[File] = &[
    File::ours("/docs", "text/html; charset=utf-8", INDEX),
    File::ours("/docs/", "text/html; charset=utf-8", INDEX),
    File::ours("/docs/page.css", CSS, include_bytes!("../assets/page.css")),
    File::ours("/docs/start.js", JAVASCRIPT, include_bytes!("../assets/start.js")),
    File::ours("/openapi.json", "application/json", include_bytes!("../../openapi.json")),
    File::of_the_viewer(
        "/docs/swagger-ui-dist-5.35.0/swagger-ui.css",
        CSS,
        include_bytes!("../assets/swagger-ui-dist-5.35.0/swagger-ui.css"),
    ),
    File::of_the_viewer(
        "/docs/swagger-ui-dist-5.35.0/swagger-ui-bundle.js",
        JAVASCRIPT,
        include_bytes!("../assets/swagger-ui-dist-5.35.0/swagger-ui-bundle.js"),
    ),
    File::of_the_viewer(
        "/docs/swagger-ui-dist-5.35.0/favicon-32x32.png",
        "image/png",
        include_bytes!("../assets/swagger-ui-dist-5.35.0/favicon-32x32.png"),
    ),
];

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at this path, if there is one.
pub(crate) fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// May be kept, but not used without asking whether it is still the one.
    const fn ours(path: &'static str, content_type: &'static str, content: &'static [u8]) -> Self {
        Self { path, content_type, content, version: fnv_1a(content), kept: "no-cache" }
    }

    /// The folder has the viewer's version in its name, so what is in it never changes.
    const fn of_the_viewer(
        path: &'static str,
        content_type: &'static str,
        content: &'static [u8],
    ) -> Self {
        let kept = "public, max-age=31536000, immutable";
        Self { path, content_type, content, version: fnv_1a(path.as_bytes()), kept }
    }
}

/// A hash that the compiler can work out.
const fn fnv_1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use sha2::{Digest, Sha512};

    use super::{FILES, find, fnv_1a};

    /// Folder of the viewer's unchanged files and the list of their checksums.
    const VIEWER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/swagger-ui-dist-5.35.0");

    #[test]
    fn the_viewer_is_the_published_one() {
        let folder = Path::new(VIEWER);
        let list = std::fs::read_to_string(folder.join("SHA512SUMS")).expect("a list of checksums");
        let listed: BTreeSet<(String, String)> = list
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
            .collect();
        let found: BTreeSet<(String, String)> = std::fs::read_dir(folder)
            .expect("the viewer's folder")
            .map(|entry| entry.expect("a file").path())
            .filter(|path| !path.ends_with("SHA512SUMS"))
            .map(|path| {
                let content = std::fs::read(&path).expect("a file");
                let sum = Sha512::digest(&content).iter().fold(String::new(), |mut text, byte| {
                    use std::fmt::Write as _;
                    write!(text, "{byte:02x}").expect("writing to a string");
                    text
                });
                (path.file_name().expect("a name").to_string_lossy().into_owned(), sum)
            })
            .collect();
        assert_eq!(found, listed, "run docs-page/vendor");
    }

    #[test]
    fn the_page_names_nothing_that_is_not_there() {
        let page = String::from_utf8_lossy(find("/docs").expect("the page").content).into_owned();
        let names: Vec<&str> = page.split('"').filter(|text| text.starts_with('/')).collect();
        assert_eq!(names.len(), 5, "{names:?}");
        for name in names {
            assert!(find(name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_file_has_a_version_and_a_path_of_its_own() {
        let paths: BTreeSet<&str> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(paths.len(), FILES.len());
        assert_ne!(fnv_1a(b"a"), fnv_1a(b"b"));
        assert_eq!(fnv_1a(b"a"), 0xaf63_dc4c_8601_ec8c, "the published value");
    }
}
