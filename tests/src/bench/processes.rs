//! CPU time and memory of the services, of PostgreSQL, and of everything else on the machine, from Linux's
//! `/proc`. On other systems the figures are absent.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Linux reports hundredths of a second to user space, whatever the kernel's tick is.
const TICK_MILLIS: u64 = 10;

/// Size of a page of memory on the machines that Linux's `/proc` is read on here.
const PAGE_BYTES: u64 = 4_096;

/// The processes whose CPU time and memory are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Account {
    /// A process group: a server, or `spin up` and the program that it starts to serve.
    Group(u32),
    /// A process and its children, ended ones included: PostgreSQL, whose first process starts one
    /// for each connection.
    Family(u32),
}

/// A line of `/proc/<id>/stat`.
struct Stat {
    id: u32,
    parent: u32,
    group: u32,
    /// Its own, of all threads.
    own: Duration,
    /// Of its children that have ended and were waited for.
    ended_children: Duration,
    /// Bytes of memory in use, shared ones included.
    resident_bytes: u64,
}

impl Account {
    /// The CPU time so far.
    pub(crate) fn spent(self) -> Option<Duration> {
        match self {
            Self::Group(group) => {
                sum(processes()?.filter(|one| one.group == group).map(|one| one.total()))
            }
            Self::Family(first) => {
                let all: Vec<Stat> = processes()?.collect();
                let first = all.iter().find(|one| one.id == first)?;
                let children = all.iter().filter(|one| one.parent == first.id);
                Some(first.total() + children.map(Stat::total).sum::<Duration>())
            }
        }
    }

    /// Starts the peak of the memory over, at what is in use now. Where the kernel does not allow it, the peak is
    /// that of the processes' whole lives.
    pub(crate) fn reset_peak_memory(self) {
        for process in self.members() {
            let _ = fs::write(format!("/proc/{process}/clear_refs"), "5");
        }
    }

    /// The most memory that the processes have had in use at once, each for itself, in bytes.
    pub(crate) fn peak_memory(self) -> Option<u64> {
        let peak = |process| {
            let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
            kibibytes(&text, "VmHWM:")
        };
        self.members().into_iter().filter_map(peak).reduce(|sum, peak| sum + peak)
    }

    /// Bytes of memory that the processes use now: a page that several of them map, or one of them several times,
    /// counts once.
    pub(crate) fn proportional_memory(self) -> Option<u64> {
        let bytes = |process| {
            let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
            kibibytes(&text, "Pss:")
        };
        self.members().into_iter().filter_map(bytes).reduce(|sum, bytes| sum + bytes)
    }

    /// The ids of the processes that run now.
    fn members(self) -> Vec<u32> {
        let all = processes().into_iter().flatten();
        let members = all.filter(|one| match self {
            Self::Group(group) => one.group == group,
            Self::Family(first) => one.id == first || one.parent == first,
        });
        members.map(|one| one.id).collect()
    }
}

/// Bytes of memory that a process group uses, or this process.
pub(crate) fn resident_bytes(group: Option<u32>) -> Option<u64> {
    match group {
        Some(group) => {
            let of_group = processes()?.filter(|one| one.group == group);
            of_group.map(|one| one.resident_bytes).reduce(|sum, bytes| sum + bytes)
        }
        None => Some(Stat::read(Path::new("/proc/self/stat"))?.resident_bytes),
    }
}

/// The CPU time of a process with one thread, exact to the nanosecond.
pub(crate) fn exact_time(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// The process that started this one.
pub(crate) fn parent(process: u32) -> Option<u32> {
    Some(Stat::read(Path::new(&format!("/proc/{process}/stat")))?.parent)
}

/// The busy time of all processors so far.
pub(crate) fn machine() -> Option<Duration> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = fields.split_whitespace().filter_map(|one| one.parse().ok()).collect();
    // user, nice, system; idle, iowait; irq, softirq, steal
    let worked: u64 = fields.get(..3)?.iter().chain(fields.get(5..8)?).sum();
    Some(ticks(worked))
}

/// The CPU time of all threads of this process so far.
pub(crate) fn this_process() -> Option<Duration> {
    Some(Stat::read(Path::new("/proc/self/stat"))?.own)
}

impl Stat {
    fn read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(path).ok()?)
    }

    /// The second field is the program's name in parentheses, which may contain spaces and parentheses;
    /// proc(5) counts the fields from 1.
    fn parse(text: &str) -> Option<Self> {
        let (before, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            id: before.split_once(' ')?.0.parse().ok()?,
            parent: number(4)?.try_into().ok()?,
            group: number(5)?.try_into().ok()?,
            own: ticks(number(14)? + number(15)?),
            ended_children: ticks(number(16)? + number(17)?),
            resident_bytes: number(24)? * PAGE_BYTES,
        })
    }

    fn total(&self) -> Duration {
        self.own + self.ended_children
    }
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * TICK_MILLIS)
}

fn processes() -> Option<impl Iterator<Item = Stat>> {
    let folders = fs::read_dir("/proc").ok()?;
    Some(folders.flatten().filter_map(|folder| Stat::read(&folder.path().join("stat"))))
}

/// A field of a text like that of `/proc/<id>/status`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1_024)
}

/// `None` without any process: it has ended, or there is no `/proc`.
fn sum(times: impl Iterator<Item = Duration>) -> Option<Duration> {
    times.reduce(|sum, time| sum + time)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Stat, kibibytes};

    #[test]
    fn a_program_may_have_any_name() {
        let line = "42 (a) b (c) S 7 9 9 0 -1 4194560 1 2 3 4 150 50 20 10 20 0 1 0 100 0 2 0";
        let stat = Stat::parse(line).expect("a good line");
        assert_eq!((stat.id, stat.parent, stat.group), (42, 7, 9));
        assert_eq!(stat.own, Duration::from_secs(2));
        assert_eq!(stat.ended_children, Duration::from_millis(300));
        assert_eq!(stat.resident_bytes, 8_192);
    }

    #[test]
    fn the_peak_of_the_memory_is_in_kibibytes() {
        let peak = |text| kibibytes(text, "VmHWM:");
        let text = "VmPeak:\t  9 kB\nVmHWM:\t    1672 kB\nVmRSS:\t 5 kB\n";
        assert_eq!(peak(text), Some(1_712_128));
        assert_eq!(peak("VmPeak:\t  9 kB\n"), None);
    }
}
