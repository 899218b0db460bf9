//! Versions of Spin, and the build of the components that each can run.

use std::fmt;

/// The version that a program of Spin reports, such as `4.1.0-pre0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpinVersion {
    text: String,
    major: u64,
    minor: u64,
}

/// A build of the components, by what it needs of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// For WASI 0.2: Spin 3.4 to 4.0.
    Wasip2,
    /// For WASI 0.3: Spin 4.1 and newer.
    Wasip3,
}

impl SpinVersion {
    /// Parses the output of `spin --version`: `spin 4.1.0-pre0 (94a8fc8a 2026-08-21)`. Other programs have the name
    /// `spin` as well, so it has to be exactly that.
    pub fn parse(output: &str) -> Option<Self> {
        let text = output.trim_start().strip_prefix("spin ")?.split_whitespace().next()?;
        let (major, rest) = text.split_once('.')?;
        let (minor, _patch) = rest.split_once('.')?;
        Some(Self { text: text.to_owned(), major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// The newest build that it runs; `None` if it is older than 3.4. A version before a release counts as that.
    pub fn build(&self) -> Option<Build> {
        match (self.major, self.minor) {
            (4, 1..) | (5.., _) => Some(Build::Wasip3),
            (3, 4..) | (4, 0) => Some(Build::Wasip2),
            _ => None,
        }
    }
}

impl fmt::Display for SpinVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_the_build() {
        for (output, expected) in [
            ("spin 4.1.0-pre0 (94a8fc8a 2026-08-21)\n", Some(Build::Wasip3)),
            ("spin 4.1.0 (94a8fc8a 2026-08-21)\n", Some(Build::Wasip3)),
            ("spin 4.2.0-rc.1", Some(Build::Wasip3)),
            ("spin 4.10.0 (0 2027-01-01)", Some(Build::Wasip3)),
            ("spin 5.0.0 (0 2027-01-01)", Some(Build::Wasip3)),
            ("spin 10.0.0 (0 2030-01-01)", Some(Build::Wasip3)),
            ("spin 4.0.2 (0 2026-05-01)", Some(Build::Wasip2)),
            ("spin 3.4.0-pre0 (0 2025-06-01)", Some(Build::Wasip2)),
            ("spin 3.6.3 (0 2026-03-01)", Some(Build::Wasip2)),
            ("spin 3.10.0 (0 2026-03-01)", Some(Build::Wasip2)),
            ("spin 3.3.1 (0 2025-05-01)", None),
            ("spin 2.7.0 (0 2024-07-01)", None),
            ("spin 0.4.1", None),
        ] {
            let version = SpinVersion::parse(output).unwrap_or_else(|| panic!("{output}"));
            assert_eq!(version.build(), expected, "{output}");
            assert!(output.contains(&version.to_string()), "{output}");
        }
    }

    #[test]
    fn other_output_is_no_version() {
        for output in [
            "",
            "spin",
            "spin 4",
            "spin 4.1",
            "spin four.one.zero",
            "spin -1.0.0",
            "spinner 4.1.0",
            // The model checker.
            "Spin Version 6.5.2 -- 6 December 2019",
        ] {
            assert_eq!(SpinVersion::parse(output), None, "{output}");
        }
    }
}
