//! The version of the Spin under test, asked for before anything is built or started.

use std::path::Path;
use std::process::Command;

use anyhow::bail;
use local::{Build, SpinVersion};

use crate::Component;
use crate::settings::{RuntimeKind, SETTINGS};

/// The version of the Spin under test; `None` if that is not Spin, or cannot be run.
pub(crate) fn spin_version() -> Option<String> {
    match &SETTINGS.runtime {
        RuntimeKind::Local => None,
        RuntimeKind::Spin { program } => version_of(program).ok(),
    }
}

/// For a measurement: an error, with a hint, where the Spin under test cannot be run, or cannot run the components.
pub(crate) fn check_spin() -> anyhow::Result<()> {
    let RuntimeKind::Spin { program } = &SETTINGS.runtime else { return Ok(()) };
    match version_of(program) {
        Ok(version) => check(&version, Component::under_test()),
        Err(reason) => bail!(
            "cannot run `{}`: {reason}\n\
             hint: install Spin 4.1 or newer, or name its program in SPIN; on `local`, without Spin: \
             `cargo bench-api`, `cargo soak`",
            program.display()
        ),
    }
}

fn check(version: &str, component: Component) -> anyhow::Result<()> {
    match SpinVersion::parse(version).map(|version| version.build()) {
        None => bail!(
            "`{version}` is not a version of Spin\n\
             hint: name Spin's program in SPIN, or put it first in PATH"
        ),
        Some(build) if build != Some(Build::Wasip3) && component == Component::Wasip3 => bail!(
            "{version} does not run components of WASI 0.3\n\
             hint: install Spin 4.1 or newer, or measure the other build with TASKIE_COMPONENT=wasip2"
        ),
        Some(_) => Ok(()),
    }
}

fn version_of(program: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("--version").output().map_err(|err| err.to_string())?;
    if output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    } else {
        Err(format!("`--version` ended with {}", output.status))
    }
}

#[cfg(test)]
mod tests {
    use super::{check, version_of};
    use crate::Component::{Wasip2, Wasip3};

    #[test]
    fn spin_before_4_1_runs_components_of_wasi_0_2_only() {
        for (version, component, is_good) in [
            ("spin 4.1.0 (abc 2026-10-01)", Wasip3, true),
            ("spin 4.2.0-pre0", Wasip3, true),
            ("spin 10.0.0", Wasip3, true),
            ("spin 4.0.3 (abc 2026-03-01)", Wasip3, false),
            ("spin 3.5.1", Wasip3, false),
            ("spin 3.5.1", Wasip2, true),
            // The model checker of that name.
            ("Spin Version 6.5.2 -- 6 December 2019", Wasip2, false),
            ("", Wasip2, false),
        ] {
            assert_eq!(check(version, component).is_ok(), is_good, "{version}");
        }
        let error = check("spin 4.0.3", Wasip3).expect_err("too old").to_string();
        assert!(error.contains("TASKIE_COMPONENT=wasip2"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        assert!(version_of("/nowhere/spin".as_ref()).is_err());
        assert!(version_of("false".as_ref()).is_err());
    }
}
