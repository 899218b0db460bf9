//! The two builds of the components, and what differs between them.

use std::path::{Path, PathBuf};

use crate::build::workspace;
use crate::settings::SETTINGS;

/// A build of the application's components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// For WASI 0.3.
    Wasip3,
    /// For WASI 0.2.
    Wasip2,
}

impl Component {
    /// The build that `TASKIE_COMPONENT` names.
    pub fn under_test() -> Self {
        SETTINGS.component
    }

    /// The application with this build of its components.
    pub fn manifest(self) -> PathBuf {
        workspace().join(self.manifest_name())
    }

    /// The bare component that measurements compare it with, built in the same way.
    pub(crate) fn floor_manifest(self) -> PathBuf {
        workspace().join("benches").join(self.manifest_name())
    }

    fn manifest_name(self) -> &'static str {
        match self {
            Self::Wasip3 => "spin.toml",
            Self::Wasip2 => "spin-wasip2.toml",
        }
    }

    /// The built file of a component.
    pub(crate) fn file(self, name: &str) -> PathBuf {
        let target = match self {
            Self::Wasip3 => "target",
            Self::Wasip2 => "target/wasip2",
        };
        workspace().join(target).join("wasm32-wasip2/release").join(format!("{name}.wasm"))
    }

    /// The name in headings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasip3 => "WASI 0.3",
            Self::Wasip2 => "WASI 0.2",
        }
    }
}

/// All that the WASI 0.2 build cannot do, or does differently. A test that this concerns asks for it, and
/// either expects the other behaviour or leaves out what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Each request has an instance of its own.
    OneRequestPerInstance,
    /// The component cannot give up a call to PostgreSQL.
    NoDatabaseDeadline,
    /// The component cannot pass a certificate to the host.
    NoPrivateCa,
}

impl Difference {
    /// True where the build under test has it; its reason is in the test's output then.
    #[expect(clippy::print_stderr, reason = "the test runner shows it with the test's output")]
    pub fn applies(self) -> bool {
        let applies = Component::under_test() == Component::Wasip2;
        if applies {
            eprintln!("with WASI 0.2: {}", self.reason());
        }
        applies
    }

    fn reason(self) -> &'static str {
        match self {
            Self::OneRequestPerInstance => {
                "an instance serves one request, on every host: none is shared, and nothing is remembered"
            }
            Self::NoDatabaseDeadline => {
                "a call to PostgreSQL blocks the instance: its limits are `connect_timeout` in the address, \
                 the server's `statement_timeout`, and the host's limit on requests"
            }
            Self::NoPrivateCa => {
                "`spin:postgres@4.0.0` takes no certificate: `database_ca` is refused by name"
            }
        }
    }
}

/// The variables of an application that have a default, with it.
pub fn default_variables(manifest: &Path) -> toml::Table {
    let text = std::fs::read_to_string(manifest).expect("read the manifest");
    let manifest: toml::Table = text.parse().expect("a manifest in TOML");
    let declared = manifest["variables"].as_table().expect("a table of variables").iter();
    let default = |(name, variable): (&String, &toml::Value)| {
        Some((name.clone(), variable.get("default")?.clone()))
    };
    declared.filter_map(default).collect()
}
