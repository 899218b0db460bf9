//! Runs the program as a user would, in a controlled environment.

use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tests::{CliOutput, TestDatabase, http_client};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// The JWT secret of every run: a token of one run is valid in another.
pub(crate) const SECRET: &str = "a secret of thirty-two bytes or more";

/// The last printed line, when the API is ready.
const READY: &str = "Ctrl-C stops.";

/// Runs it to its end.
pub(crate) async fn run(arguments: &[&str]) -> CliOutput {
    let output = command(arguments).await.output().await.expect("run `local`");
    CliOutput::new(output)
}

/// A running service.
pub(crate) struct Served {
    child: Child,
    url: String,
    curl: String,
    /// What it has printed until it was ready.
    said: String,
    /// Keeps the pipe open: the program prints more messages.
    messages: Lines<BufReader<ChildStderr>>,
}

impl Served {
    /// Starts it on a free port with the runtime under test, and waits until it reports that the API is ready.
    pub(crate) async fn start(database: &TestDatabase) -> Self {
        let named = std::env::var("TASKIE_RUNTIME").ok().filter(|name| !name.is_empty());
        let runtime = named.unwrap_or_else(|| "local".to_owned());
        let mut command = command(&["up", "--listen", "127.0.0.1:0", "--runtime", &runtime]).await;
        if let Some(spin) = std::env::var_os("SPIN") {
            command.env("SPIN", spin);
        }
        command.env("DATABASE_URL", database.url().to_connection_string());
        Self::wait_for(command).await
    }

    /// Starts it with this command, and waits until it reports that the API is ready.
    pub(crate) async fn wait_for(mut command: Command) -> Self {
        let mut child = command.spawn().expect("start `local`");
        let mut messages = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let is_quiet = command.as_std().get_args().any(|argument| argument == "--quiet");
        let mut text = Vec::new();
        while let Some(line) = messages.next_line().await.expect("read the messages") {
            let ready = line == READY || is_quiet && line.starts_with("Serving ");
            text.push(line);
            if ready {
                let address = text.iter().find_map(|line| line.strip_prefix("Serving "));
                let url = address.expect("the address").to_owned();
                let curl = text.iter().skip_while(|line| !line.starts_with("curl "));
                let curl: Vec<&str> =
                    curl.take_while(|line| !line.is_empty()).map(String::as_str).collect();
                return Self { child, url, curl: curl.join("\n"), said: text.join("\n"), messages };
            }
        }
        panic!("`local up` ended:\n{}", text.join("\n"));
    }

    /// What it has printed until it was ready.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    #[track_caller]
    pub(crate) fn has_said(&self, text: &str) {
        assert!(self.said.contains(text), "`{text}` is not in:\n{}", self.said);
    }

    #[track_caller]
    pub(crate) fn has_not_said(&self, text: &str) {
        assert!(!self.said.contains(text), "`{text}` is in:\n{}", self.said);
    }

    /// The printed `curl` command.
    pub(crate) fn curl(&self) -> &str {
        &self.curl
    }

    /// Runs the printed `curl` command in a shell.
    pub(crate) async fn run_printed_curl(&self) -> Value {
        let output = Command::new("sh").args(["-c", &self.curl]).output().await.expect("run sh");
        let body = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"))
    }

    /// The response to the demo user, with the printed token.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let after = self.curl.split_once("Bearer ").expect("a token").1;
        let token = after.split_once('\'').expect("its end").0.to_owned();
        self.get_with(path, &token).await
    }

    /// The response to a request with this token.
    pub(crate) async fn get_with(&self, path: &str, token: &str) -> Value {
        let request = http_client().get(format!("{}{path}", self.url)).bearer_auth(token);
        request.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// Sends SIGINT, after which the program must succeed.
    pub(crate) async fn interrupt(self) {
        self.send(Signal::SIGINT);
        self.output().await.exits(0);
    }

    pub(crate) fn send(&self, signal: Signal) {
        let id = self.child.id().expect("it runs");
        kill(Pid::from_raw(id.cast_signed()), signal).expect("send a signal");
    }

    /// Waits until it ends. Standard error has what it printed after it was ready.
    pub(crate) async fn output(mut self) -> CliOutput {
        let mut stderr = String::new();
        while let Some(line) = self.messages.next_line().await.expect("read the messages") {
            stderr.push_str(&line);
            stderr.push('\n');
        }
        let output = self.child.wait_with_output().await.expect("wait for it");
        CliOutput::new(Output { stderr: stderr.into_bytes(), ..output })
    }
}

/// The program with arguments and without the variables that could change what it does.
pub(crate) async fn command(arguments: &[&str]) -> Command {
    // The first call builds the program, which blocks.
    let program = tokio::task::spawn_blocking(tests::local).await.expect("build `local`");
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SPIN_VARIABLE_") {
            command.env_remove(&name);
        }
    }
    command
        .current_dir(tests::workspace())
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env_remove("SPIN")
        .env("SPIN_VARIABLE_JWT_SECRET", SECRET)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
