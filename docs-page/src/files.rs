//! Everything that this component has to give, on one screen.

use bytes::Bytes;
use percent_encoding::percent_decode_str;

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

/// The path of the document, which any page may read.
pub(crate) const DOCUMENT: &str = "/openapi.json";

/// The folder in the page's references to its files. They are relative (RFC 3986), so that they are right
/// behind a proxy that adds a prefix to the path.
const FOLDER: &str = "=\"docs/";

/// The files, by path.
const FILES: &[File] = &[
    File::ours("/docs", HTML, include_bytes!("../assets/index.html")),
    File::ours("/docs/page.css", CSS, include_bytes!("../assets/page.css")),
    File::ours("/docs/start.js", JAVASCRIPT, include_bytes!("../assets/start.js")),
    File::ours(DOCUMENT, "application/json", include_bytes!("../../openapi.json")),
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

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The file at this path, if there is one, with or without a slash at the end. Split before decoding,
/// so that an encoded slash is none.
pub(crate) fn find(path: &str) -> Option<&'static File> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let decoded = |segment| percent_decode_str(segment).collect::<Vec<u8>>();
    FILES
        .iter()
        .find(|file| file.path.split('/').map(str::as_bytes).eq(path.split('/').map(decoded)))
}

impl File {
    /// The content at this path of the file: seen from `/docs/`, the page's files are in the same folder.
    pub(crate) fn at(&self, path: &str) -> Bytes {
        match std::str::from_utf8(self.content) {
            Ok(page) if self.content_type == HTML && path.ends_with('/') => {
                page.replace(FOLDER, "=\"").into()
            }
            _ => Bytes::from_static(self.content),
        }
    }

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
        for (path, folder) in [("/docs", "/"), ("/docs/", "/docs/")] {
            let page = find(path).expect("the page").at(path);
            let page = std::str::from_utf8(&page).expect("text");
            let values = page.split("=\"").skip(1).filter_map(|rest| rest.split('"').next());
            let names: Vec<&str> = values.filter(|value| value.contains('.')).collect();
            assert_eq!(names.len(), 5, "{names:?}");
            for name in names {
                assert!(find(&format!("{folder}{name}")).is_some(), "{path}: {name}");
            }
        }
    }

    #[test]
    fn a_path_is_found_however_it_is_written() {
        for (path, found) in [
            ("/docs", true),
            ("/docs/", true),
            ("/d%6Fcs", true),
            ("/openapi%2Ejson/", true),
            ("/docs/page%2ecss", true),
            ("/docs//", false),
            ("/docs%2F", false),
            ("/docs%2Fpage.css", false),
            ("/docs/%2e/page.css", false),
            ("/docs/page.css//", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(find(path).is_some(), found, "{path}");
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
