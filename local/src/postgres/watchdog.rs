//! A process that outlives this one just long enough to clean up after it.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often the end of a process is looked for.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// Reads process ids from its input, one a line, each replacing the one before; an empty line means
/// that there is nothing to stop any more. When the input ends, because this process closed it or is
/// gone, it stops the last one and removes the folder `$2`, unless that is empty.
///
/// `$1` are pairs of a signal and how many tenths of a second it is given.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
cd /
pid=
while read -r line; do pid=$line; done

runs() {
    [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || return 1
    # A process that nobody has waited for still takes signals, but it is gone.
    case $(cat "/proc/$pid/stat" 2>/dev/null) in *") Z "*) return 1 ;; esac
}

set -f
for step in $1; do
    runs || break
    kill "-${step%:*}" "$pid" 2>/dev/null
    tenths=${step#*:}
    while runs && [ "$tenths" -gt 0 ]; do
        sleep 0.1 || sleep 1
        tenths=$((tenths - 1))
    done
done

[ -n "$2" ] || exit 0
# The server's own children may still be writing their last.
tries=0
while [ -e "$2" ] && [ "$tries" -lt 50 ]; do
    rm -rf "$2" || sleep 0.1
    tries=$((tries + 1))
done
[ ! -e "$2" ]
"#;

/// Ends the data's writes in order: a fast shutdown, then an immediate one, then none at all.
const STOP_KEPT: &str = "INT:300 QUIT:50 KILL:50";

/// What is thrown away needs no checkpoint.
const STOP_THROWAWAY: &str = "QUIT:50 KILL:50";

/// At most one supervised program, and the watchdog which stops it when this process cannot.
pub(super) struct Watchdog {
    /// `None` once it was waited for.
    shell: Option<Child>,
    /// Open as long as the program should run. Closed when dropped, by the system at the latest.
    pipe: Option<ChildStdin>,
    /// `None` before it was started and once it was waited for.
    program: Option<Child>,
}

impl Watchdog {
    /// Starts the watchdog, before there is anything to clean up. `remove`: the folder to remove at
    /// the end, which need not exist yet.
    pub(super) fn start(remove: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(if remove.is_some() { STOP_THROWAWAY } else { STOP_KEPT })
            .arg(remove.unwrap_or(Path::new("")))
            // Not in the terminal's foreground group: Ctrl-C must not take the watchdog as well.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell: Some(shell), pipe, program: None })
    }

    /// Starts `command` and has it watched.
    pub(super) fn run(&mut self, command: &mut Command) -> io::Result<()> {
        let program = command.spawn()?;
        let line = format!("{}\n", program.id());
        self.program = Some(program);
        self.tell(&line)
    }

    /// How the program ended, or `None` while it runs.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = poll(&mut self.program)?;
        if ended.is_some() {
            // From now on its id may be somebody else's.
            self.tell("\n")?;
        }
        Ok(ended)
    }

    /// Has the program stopped and the folder removed, and waits for both.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.pipe = None;
        loop {
            // The program first: until it is waited for, it still looks alive to some.
            poll(&mut self.program)?;
            if let Some(status) = poll(&mut self.shell)? {
                poll(&mut self.program)?;
                return if status.success() {
                    Ok(())
                } else {
                    Err(io::Error::other("it is still there"))
                };
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }
}

impl Drop for Watchdog {
    /// Begins what [`Watchdog::finish`] waits for.
    fn drop(&mut self) {
        self.pipe = None;
        let children = [self.program.take(), self.shell.take()];
        if children.iter().any(Option::is_some) {
            std::thread::spawn(move || {
                for mut child in children.into_iter().flatten() {
                    // Nobody is left to hear about a failure.
                    let _ = child.wait();
                }
            });
        }
    }
}

fn poll(child: &mut Option<Child>) -> io::Result<Option<ExitStatus>> {
    let status = match child {
        Some(running) => running.try_wait()?,
        None => None,
    };
    if status.is_some() {
        *child = None;
    }
    Ok(status)
}
