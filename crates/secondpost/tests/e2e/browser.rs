//! A reader of the pages: `secondpost web` on a port of the system's choice, and a real
//! Chromium, steered through its driver. What it may not have (scripts, a wide screen, a
//! light theme) is taken from it as the developer tools do.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;

use reply::Language;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::runtime::Runtime;

use crate::daemon::{BINARY, PATIENCE, eventually, lines_of};

/// The widths that readers have, in CSS pixels.
pub(crate) const PHONE: u32 = 360;
pub(crate) const DESKTOP: u32 = 1280;

/// A process of the test; dropped, it is killed.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Chromium, and the site that it looks at.
pub(crate) struct Browser {
    site: String,
    driver: Option<WebDriver>,
    runtime: Runtime,
    _processes: [Process; 2],
    /// Profiles, which are gone with it.
    _folder: TempDir,
}

impl Browser {
    /// Starts the site and a Chromium without a window.
    pub(crate) fn start() -> Browser {
        let folder = tempfile::tempdir().expect("a folder");
        let mut web = Command::new(BINARY);
        let (site, said) = started(web.args(["web", "--listen", "127.0.0.1:0"]));
        let shown = said_with(&said, "shows ", "where it shows the pages");
        let mut chromedriver = Command::new("chromedriver");
        let (driver, said) = started(chromedriver.arg("--port=0").env("TMPDIR", folder.path()));
        let port = said_with(&said, "successfully on port ", "its port");
        let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        let runtime = Runtime::new().expect("a reactor");
        let session = runtime.block_on(WebDriver::new(address, capabilities()));
        Browser {
            site: shown.trim_end_matches('/').to_owned(),
            driver: Some(session.expect("Chromium starts")),
            runtime,
            _processes: [site, driver],
            _folder: folder,
        }
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it runs until it is dropped")
    }

    /// A command of the developer tools.
    fn tell(&self, command: &str, parameters: Value) {
        let told = self.runtime.block_on(self.driver().cdp().send_raw(command, parameters));
        told.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// A screen as wide as that; a narrow one is a phone's, with its way of zooming out.
    pub(crate) fn be_as_wide_as(&self, width: u32) {
        let is_phone = width <= PHONE;
        let screen =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": is_phone });
        self.tell("Emulation.setDeviceMetricsOverride", screen);
    }

    /// What the reader's system is set to: `light` or `dark`.
    pub(crate) fn prefer(&self, theme: &str) {
        let feature = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.tell("Emulation.setEmulatedMedia", json!({ "features": feature }));
    }

    /// The language that the reader's browser asks for.
    pub(crate) fn ask_for(&self, language: Language) {
        let fields = json!({ "headers": { "Accept-Language": language.tag() } });
        self.tell("Network.enable", json!({}));
        self.tell("Network.setExtraHTTPHeaders", fields);
    }

    /// Whether pages may run scripts.
    pub(crate) fn let_scripts_run(&self, may: bool) {
        self.tell("Emulation.setScriptExecutionDisabled", json!({ "value": !may }));
    }

    /// Goes to a page of the site.
    pub(crate) fn open(&self, path: &str) {
        let gone = self.runtime.block_on(self.driver().goto(format!("{}{path}", self.site)));
        gone.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// The address that it is at, below the site's.
    pub(crate) fn path(&self) -> String {
        let address = self.runtime.block_on(self.driver().current_url()).expect("an address");
        address.path().to_owned()
    }

    /// What an expression of JavaScript is here. Tests may ask where pages may not run any.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let script = format!("return {expression};");
        let returned = self.runtime.block_on(self.driver().execute(script, Vec::new()));
        returned.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// The same, once it is there: a promise is waited for.
    pub(crate) fn promised(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];\
             Promise.resolve({expression}).then(done, (error) => done(String(error)));"
        );
        let returned = self.runtime.block_on(self.driver().execute_async(script, Vec::new()));
        returned.unwrap_or_else(|error| panic!("{expression}: {error}")).json().clone()
    }

    /// Runs a script in the page, past the policy that the page itself is under.
    pub(crate) fn inject(&self, script: &str) {
        self.runtime.block_on(self.driver().execute(script, Vec::new())).expect("it runs");
    }

    /// The text that a reader sees.
    pub(crate) fn text(&self) -> String {
        self.value("document.body.innerText").as_str().expect("a text").to_owned()
    }

    /// Types into the field of that selector, key by key.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        self.runtime.block_on(async {
            let field = self.driver().find(By::Css(selector)).await.expect(selector);
            field.send_keys(text).await.expect(selector);
        });
    }

    /// Clicks on an element, once it is there and can be clicked.
    pub(crate) fn click(&self, selector: &str) {
        let click = async || {
            let found = self.driver().find(By::Css(selector)).await.ok()?;
            found.click().await.ok()
        };
        eventually(&format!("a click on {selector}"), || self.runtime.block_on(click()));
    }

    /// Whether an element is there.
    pub(crate) fn has(&self, selector: &str) -> bool {
        self.value(&format!("document.querySelector({}) !== null", json!(selector))) == true
    }

    /// Waits until an element is there.
    pub(crate) fn shows(&self, selector: &str) {
        eventually(selector, || self.has(selector).then_some(()));
    }

    /// Waits until a text is to be seen.
    pub(crate) fn sees(&self, text: &str) {
        eventually(text, || self.text().contains(text).then_some(()));
    }

    /// Whether anything reaches beyond a screen of that width.
    pub(crate) fn is_wider_than(&self, width: u32) -> bool {
        let needed = self.value("document.documentElement.scrollWidth").as_u64();
        needed.expect("a width") > u64::from(width)
    }

    /// What the browser had to complain of since it was asked last: scripts that failed,
    /// what the policy kept out.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.runtime.block_on(self.driver().browser_log()).expect("a log");
        log.into_iter().map(|entry| entry.message).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let _ = self.runtime.block_on(driver.quit());
        }
    }
}

/// Starts a program that says where it is to be found.
fn started(command: &mut Command) -> (Process, Receiver<String>) {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.unwrap_or_else(|error| {
        panic!("{command:?} does not start: {error}; `cargo xtask test` installs what is missing")
    });
    let said = lines_of(child.stdout.take().expect("stdout is piped"));
    (Process(child), said)
}

/// What follows `mark` on the first line that holds it.
fn said_with(said: &Receiver<String>, mark: &str, what: &str) -> String {
    loop {
        let line = said.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("it never said {what}"));
        if let Some((_, rest)) = line.split_once(mark) {
            return rest.to_owned();
        }
    }
}

/// A Chromium that keeps to itself, and logs what pages complain of.
fn capabilities() -> ChromeCapabilities {
    let mut capabilities = ChromeCapabilities::new();
    let arguments = [
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-extensions",
        // Root has no sandbox; the pages are our own.
        "--no-sandbox",
    ];
    for argument in arguments {
        capabilities.add_arg(argument).expect("an argument");
    }
    capabilities.set_browser_log_level(LoggingPrefsLogLevel::Warning).expect("a level");
    capabilities
}
