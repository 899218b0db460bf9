//! The machine, from Linux's `/proc`, and the commit of the sources.

use std::fs;
use std::num::NonZero;
use std::process::Command;

use serde::Serialize;

use crate::build::workspace;

/// What `/proc` and Git do not tell.
const UNKNOWN: &str = "unknown";

/// KiB in a GiB.
const GIBIBYTE: f64 = 1_048_576.0;

/// What the machine is, and what it was doing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processors: usize,
    pub(crate) processor: String,
    pub(crate) memory_gib: Option<f64>,
    pub(crate) kernel: String,
    /// Of the last 1, 5 and 15 minutes.
    pub(crate) load_average: String,
}

impl Machine {
    pub(crate) fn read() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let system = |name| read(format!("/proc/sys/kernel/{name}")).trim().to_owned();
        let (kernel, release) = (system("ostype"), system("osrelease"));
        let load = read("/proc/loadavg".to_owned());
        Self {
            processors: std::thread::available_parallelism().map_or(0, NonZero::get),
            processor: value(&read("/proc/cpuinfo".to_owned()), "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            memory_gib: memory_gib(&read("/proc/meminfo".to_owned())),
            kernel: if release.is_empty() {
                UNKNOWN.to_owned()
            } else {
                format!("{kernel} {release}")
            },
            load_average: load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let memory = self.memory_gib.map_or(UNKNOWN.to_owned(), |size| format!("{size:.1} GiB"));
        format!(
            "{} processors ({}), {memory} of memory, {}, load average {}",
            self.processors, self.processor, self.kernel, self.load_average
        )
    }
}

/// The commit that is checked out, with `-dirty` where its files were changed.
pub(crate) fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude=*"])
        .current_dir(workspace())
        .output();
    let output = output.ok().filter(|output| output.status.success());
    let commit = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    commit.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The first value with this name, in a file with lines of `name: value`.
fn value(text: &str, name: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(found, _)| found.trim() == name)?;
    Some(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn memory_gib(meminfo: &str) -> Option<f64> {
    let total = value(meminfo, "MemTotal")?;
    let kibibytes: f64 = total.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / GIBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::{Machine, memory_gib, value};

    #[test]
    fn a_value_is_found_by_its_name() {
        let text = "processor\t: 0\nmodel name\t: A  CPU @ 2.10GHz\nmodel name\t: another\n";
        assert_eq!(value(text, "model name").as_deref(), Some("A CPU @ 2.10GHz"));
        assert_eq!(value(text, "model"), None);
        assert_eq!(memory_gib("MemTotal:        2097152 kB\nMemFree: 1 kB\n"), Some(2.0));
        assert_eq!(memory_gib(""), None);
    }

    #[test]
    fn what_is_not_known_is_said_to_be_unknown() {
        let machine = Machine {
            processors: 2,
            processor: "x86_64".to_owned(),
            memory_gib: None,
            kernel: "unknown".to_owned(),
            load_average: "0.1 0.2 0.3".to_owned(),
        };
        let expected =
            "2 processors (x86_64), unknown of memory, unknown, load average 0.1 0.2 0.3";
        assert_eq!(machine.describe(), expected);
    }
}
