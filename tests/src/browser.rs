//! A headless Chromium, controlled through `chromedriver`.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Time limit of each browser action.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names of the browser's and of the driver's program.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const DRIVERS: [&str; 1] = ["chromedriver"];

/// An open browser window.
pub struct Browser {
    client: Client,
    /// The id of the browser's process.
    process: Option<i32>,
    driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Opens a page.
    pub async fn open(url: &str) -> Self {
        let (browser, driver) = (program("CHROMIUM", &BROWSERS), program("CHROMEDRIVER", &DRIVERS));
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("run the driver");
        let port = port_of(&mut driver).await;
        let profile = tempfile::tempdir().expect("create a folder for the browser's profile");
        let options = json!({
            "binary": browser,
            "args": [
                "--headless",
                // The sandbox does not start as root, as in CI. The page is trusted.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-quic",
                "--disable-sync",
                "--no-first-run",
                "--window-size=1280,2000",
                format!("--user-data-dir={}", profile.path().display()),
            ],
        });
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("start the browser");
        let answer = client.capabilities().and_then(|found| found.get("goog:processID")?.as_i64());
        let process = answer.and_then(|id| i32::try_from(id).ok());
        let browser = Self { client, process, driver, _profile: profile };
        browser.client.goto(url).await.unwrap_or_else(|err| panic!("failed to open {url}: {err}"));
        browser
    }

    /// The element, as soon as it exists.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|err| panic!("no `{css}` on the page: {err}"))
    }

    /// Clicks an element, as soon as it exists.
    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        element.click().await.unwrap_or_else(|err| panic!("failed to click `{css}`: {err}"));
    }

    /// Replaces the text of an input.
    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        // Selects the old text, so that typing replaces it: the page refills an emptied input.
        let keys = format!("{}a{}{text}", char::from(Key::Control), char::from(Key::Null));
        let filled = element.send_keys(&keys).await;
        filled.unwrap_or_else(|err| panic!("failed to fill `{css}`: {err}"));
    }

    /// Runs a script and returns its result.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("run a script in the page")
    }

    /// The browser's log since the last call: script errors, files that do not load, violations of
    /// the content security policy.
    pub async fn complaints(&self) -> Vec<Value> {
        let log = self.client.issue_cmd(ConsoleLog).await.expect("read the console");
        let entries = log.as_array().expect("the console is a list").clone();
        let is_good = |entry: &Value| ["INFO", "DEBUG"].map(Value::from).contains(&entry["level"]);
        entries.into_iter().filter(|entry| !is_good(entry)).collect()
    }

    /// Closes the window.
    pub async fn close(self) {
        self.client.clone().close().await.expect("close the browser");
    }
}

impl Drop for Browser {
    /// Kills the browser also after a panic: the driver would leave it running.
    fn drop(&mut self) {
        let driver = self.driver.id().and_then(|id| i32::try_from(id).ok());
        for id in self.process.into_iter().chain(driver) {
            // Fails if the process has ended already.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }
}

/// Chromium's addition to the protocol.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(
        &self,
        base_url: &Url,
        session_id: Option<&str>,
    ) -> Result<Url, <Url as std::str::FromStr>::Err> {
        base_url.join(&format!("session/{}/se/log", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// The program that the variable names, or the first of these that is installed.
fn program(variable: &str, names: &[&str]) -> PathBuf {
    if let Some(given) = std::env::var_os(variable).filter(|value| !value.is_empty()) {
        return given.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = names.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name)));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| {
        panic!(
            "none of {names:?} is installed\nhint: `apt install chromium chromium-driver`, or name \
             the programs in CHROMIUM and CHROMEDRIVER"
        )
    })
}

/// The port that the driver has chosen, from its output.
async fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
    let port = async {
        while let Some(line) = lines.next_line().await.expect("read the driver's output") {
            let port = line.split_once("started successfully on port ");
            if let Some(port) = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok()) {
                return port;
            }
        }
        panic!("the driver ended before it listened");
    };
    tokio::time::timeout(PATIENCE, port).await.expect("the driver listens")
}
