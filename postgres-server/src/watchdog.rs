//! A process that stops another one, such as the server, when this process ends, however it ends.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Interval of the checks whether a process has ended.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// Reads process ids from its input, one a line, each replacing the one before; an empty line means
/// that there is nothing to stop. At the end of the input, which comes when this process closes it or
/// ends, it stops the last process and removes the folder `$2`, unless that is empty.
///
/// `$1` are pairs of a signal and the tenths of a second to wait after it. An id with a minus sign is that of a
/// process group.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
cd /
pid=
while read -r line; do pid=$line; done

runs() {
    [ -n "$pid" ] && kill -s 0 -- "$pid" 2>/dev/null || return 1
    # A zombie accepts signals, but it has ended.
    case $(cat "/proc/$pid/stat" 2>/dev/null) in *") Z "*) return 1 ;; esac
}

set -f
for step in $1; do
    runs || break
    kill -s "${step%:*}" -- "$pid" 2>/dev/null
    tenths=${step#*:}
    while runs && [ "$tenths" -gt 0 ]; do
        sleep 0.1 || sleep 1
        tenths=$((tenths - 1))
    done
done

[ -n "$2" ] || exit 0
# Children of the server may still be writing.
tries=0
while [ -e "$2" ] && [ "$tries" -lt 50 ]; do
    rm -rf "$2" || sleep 0.1
    tries=$((tries + 1))
done
[ ! -e "$2" ]
"#;

/// A fast shutdown with a checkpoint, then an immediate one, then a kill.
const STOP_KEPT: &str = "INT:300 QUIT:50 KILL:50";

/// Data that is not kept needs no checkpoint.
const STOP_THROWAWAY: &str = "QUIT:50 KILL:50";

/// For a process group that is not a server's.
const STOP_GROUP: &str = "INT:50 KILL:50";

/// The watchdog process, and the program that it watches. Dropping it starts what [`Watchdog::finish`] waits for.
pub struct Watchdog {
    /// `None` after its end.
    shell: Option<Child>,
    /// Open as long as the program should run; the system closes it when this process ends.
    pipe: Option<ChildStdin>,
    /// `None` before its start and after its end.
    program: Option<Child>,
}

impl Watchdog {
    /// Starts the watchdog, before there is anything to clean up. `remove` is the folder to remove at
    /// the end; it may not exist yet.
    pub(crate) fn start(remove: Option<&Path>) -> io::Result<Self> {
        Self::start_shell(if remove.is_some() { STOP_THROWAWAY } else { STOP_KEPT }, remove)
    }

    /// Starts a watchdog for a process group, which gets SIGINT at the end, and SIGKILL 5 s later.
    pub fn for_group() -> io::Result<Self> {
        Self::start_shell(STOP_GROUP, None)
    }

    fn start_shell(steps: &str, remove: Option<&Path>) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(steps)
            .arg(remove.unwrap_or(Path::new("")))
            // Not in the terminal's foreground group: Ctrl-C must not stop the watchdog.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell: Some(shell), pipe, program: None })
    }

    /// Starts and watches `command`.
    pub(crate) fn run(&mut self, command: &mut Command) -> io::Result<()> {
        let program = command.spawn()?;
        let line = format!("{}\n", program.id());
        self.program = Some(program);
        self.send(&line)
    }

    /// Watches this process group. Its leader is a child of the caller, who waits for it.
    pub fn watch_group(&mut self, id: u32) -> io::Result<()> {
        self.send(&format!("-{id}\n"))
    }

    /// Kills the program and waits for its end.
    pub(crate) async fn kill(&mut self) -> io::Result<()> {
        if let Some(program) = &mut self.program {
            program.kill()?;
        }
        while self.program.is_some() && self.ended()?.is_none() {
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// The exit status of the program; `None` while it runs.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let ended = poll(&mut self.program)?;
        if ended.is_some() {
            // From now on another process can get its id.
            self.send("\n")?;
        }
        Ok(ended)
    }

    /// Stops the program or the process group, and removes the folder.
    pub async fn finish(mut self) -> io::Result<()> {
        self.pipe = None;
        loop {
            // The program first: a zombie looks alive to the watchdog.
            poll(&mut self.program)?;
            if let Some(status) = poll(&mut self.shell)? {
                poll(&mut self.program)?;
                return if status.success() {
                    Ok(())
                } else {
                    Err(io::Error::other("the watchdog gave up"))
                };
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn send(&mut self, line: &str) -> io::Result<()> {
        match &mut self.pipe {
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }
}

impl Drop for Watchdog {
    /// Starts what [`Watchdog::finish`] waits for.
    fn drop(&mut self) {
        self.pipe = None;
        let children = [self.program.take(), self.shell.take()];
        if children.iter().any(Option::is_some) {
            std::thread::spawn(move || {
                for mut child in children.into_iter().flatten() {
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
