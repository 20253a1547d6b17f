//! A real Chromium, driven as a person drives it: keys, clicks, what is on the page. Judges of others say whether everybody can use it (axe).
//!
//! What must never be here: a rule of a page. Tests look at pages from outside.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A page may take this long to become what a test waits for. CI is slow and busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often something is tried that a page may take away under a person's hand.
const TRIES: u32 = 5;

/// Rules of axe that hold on the emptiest of pages; fewer mean that it saw no page.
const PASSES_MIN: u32 = 8;

/// How a browser is set up.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Width of the window in CSS pixels.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Light on dark.
    pub night: bool,
    /// What it asks servers for: `de` or `en`.
    pub language: &'static str,
    /// Zoom in percent; 200 is what WCAG 1.4.4 asks for.
    pub zoom_percent: u32,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 1_366,
            height: 900,
            night: false,
            language: "de",
            zoom_percent: 100,
        }
    }
}

impl Look {
    /// A phone held upright.
    pub fn phone() -> Self {
        Self {
            width: 390,
            height: 844,
            ..Self::default()
        }
    }
}

/// A browser with one window.
pub struct Browser {
    client: Client,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium and its driver, which must be installed (Debian: `chromium`, `chromium-driver`).
    pub async fn start(look: Look) -> anyhow::Result<Self> {
        let profile = tempfile::tempdir()?;
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Chromium is its child and would stay behind when a test fails: both are one group, which ends with this value.
            .process_group(0)
            .spawn()
            .context("chromedriver does not start; install the Debian packages chromium and chromium-driver")?;
        let port = port_of(&mut driver).await?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(look, profile.path()))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("Chromium does not start")?;
        Ok(Self {
            client,
            driver,
            _profile: profile,
        })
    }

    /// Goes to an address.
    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        self.client.goto(url).await?;
        self.listen().await
    }

    /// Remembers what live regions say: a result is on the screen for moments, and a busy machine may look too late.
    async fn listen(&self) -> anyhow::Result<()> {
        let script = "window.heard = []; new MutationObserver(() => {
                for (const region of document.querySelectorAll('[aria-live]')) if (heard.at(-1) !== region.innerText) heard.push(region.innerText);
            }).observe(document.body, { subtree: true, childList: true, characterData: true })";
        self.client.execute(script, vec![]).await?;
        Ok(())
    }

    /// What was said before the next thing is done is no answer to it.
    async fn forget(&self) -> anyhow::Result<()> {
        self.client.execute("window.heard = []", vec![]).await?;
        Ok(())
    }

    /// Where it is.
    pub async fn url(&self) -> anyhow::Result<String> {
        Ok(self.client.current_url().await?.to_string())
    }

    /// Loads the page anew.
    pub async fn reload(&self) -> anyhow::Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Waits for an element.
    async fn element(&self, css: &str) -> anyhow::Result<Element> {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.with_context(|| format!("there is no {css}"))
    }

    /// Waits for an element and clicks it.
    pub async fn click(&self, css: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        self.forget().await?;
        element
            .click()
            .await
            .with_context(|| format!("{css} cannot be clicked"))
    }

    /// Writes into a field.
    pub async fn fill(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        element.clear().await?;
        Ok(element.send_keys(text).await?)
    }

    /// Chooses a file in a field for files.
    pub async fn choose(&self, css: &str, path: &str) -> anyhow::Result<()> {
        Ok(self.element(css).await?.send_keys(path).await?)
    }

    /// Presses keys as a keyboard does, wherever the focus is.
    pub async fn keys(&self, text: &str) -> anyhow::Result<()> {
        self.forget().await?;
        for _ in 1..TRIES {
            // A page that is being drawn anew may take the focused element away in this moment; then nothing was typed.
            match self.client.active_element().await?.send_keys(text).await {
                Err(error) if error.is_stale_element_reference() => {}
                done => return Ok(done?),
            }
        }
        Ok(self.client.active_element().await?.send_keys(text).await?)
    }

    /// Presses Enter.
    pub async fn enter(&self) -> anyhow::Result<()> {
        self.keys(&String::from(char::from(Key::Enter))).await
    }

    /// Presses Tab.
    pub async fn tab(&self) -> anyhow::Result<()> {
        self.keys(&String::from(char::from(Key::Tab))).await
    }

    /// Presses a function key, 1 to 12.
    pub async fn function_key(&self, number: u32) -> anyhow::Result<()> {
        // WebDriver has them one after the other, from F1 = E031 on.
        let key = char::from_u32(0xe030 + number).context("there is no such key")?;
        self.keys(&key.to_string()).await
    }

    /// Goes into a frame of the page.
    pub async fn within(&self, css: &str) -> anyhow::Result<()> {
        self.element(css).await?.enter_frame().await?;
        self.listen().await
    }

    /// Back to the page itself.
    pub async fn outside(&self) -> anyhow::Result<()> {
        Ok(self.client.enter_parent_frame().await?)
    }

    /// The text of an element that is there.
    pub async fn text(&self, css: &str) -> anyhow::Result<String> {
        let found = self.client.find(Locator::Css(css)).await;
        Ok(found.with_context(|| format!("there is no {css}"))?.text().await?)
    }

    /// Whether an element is there.
    pub async fn has(&self, css: &str) -> anyhow::Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    /// Waits until an element's text holds words, or a live region has said them; in the end says what it held instead.
    pub async fn wait_for(&self, css: &str, words: &str) -> anyhow::Result<String> {
        let script = "const all = [...document.querySelectorAll(arguments[0])];
            const live = all.some((one) => one.matches('[aria-live]')) ? (window.heard ?? []) : [];
            return [...all.map((one) => one.innerText), ...live].join('\\n')";
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let held = self.run(script, vec![json!(css)]).await?;
            let held = held.as_str().unwrap_or_default().to_owned();
            if held.contains(words) {
                return Ok(held);
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "{css} never said {words:?}; it says {held:?}"
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Runs a script in the page.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// Runs a script that calls its last argument when it is done.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    /// What axe calls serious or critical on this page, as sentences. `axe` is the text of `axe.min.js`.
    pub async fn axe(&self, axe: &str) -> anyhow::Result<Vec<String>> {
        // A page's own policy forbids scripts from elsewhere; WebDriver's are not the page's.
        self.client.execute(&format!("{axe};return null"), vec![]).await?;
        let script = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then((r) => done([r.passes.length,
            r.violations.map((v) => [v.impact, v.id, v.help,
                v.nodes.map((n) => n.target.join(' ') + ' ' + n.any.map((a) => a.message).join(' ')).join(' | ')])]))";
        let found = self.client.execute_async(script, vec![]).await?;
        let (passed, found): (u32, Vec<Vec<String>>) = serde_json::from_value(found)?;
        ensure!(
            passed >= PASSES_MIN,
            "axe looked at next to nothing: {passed} rules hold"
        );
        let grave = found.into_iter().filter(|one| {
            one.first()
                .is_some_and(|impact| impact == "serious" || impact == "critical")
        });
        Ok(grave.map(|one| one.join(": ")).collect())
    }

    /// A picture of the window.
    pub async fn picture(&self, path: &Path) -> anyhow::Result<()> {
        let png = self.client.screenshot().await?;
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(path, png).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// What a QR code on the page says, read from its picture as a phone's camera would.
    pub async fn qr_code(&self, css: &str) -> anyhow::Result<String> {
        // The driver scrolls an edge of it into the window and takes what of it is there.
        let script = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.run(script, vec![css.into()]).await?;
        let png = self.element(css).await?.screenshot().await?;
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info()?;
        let mut pixels = vec![0; reader.output_buffer_size().context("the picture is too large")?];
        let info = reader.next_frame(&mut pixels)?;
        let samples = info.color_type.samples();
        let (width, height) = (usize::try_from(info.width)?, usize::try_from(info.height)?);
        let grey: Vec<u8> = pixels
            .chunks(samples)
            .take(width * height)
            .map(|pixel| pixel[0])
            .collect();
        let mut reader = quircs::Quirc::default();
        let code = reader.identify(width, height, &grey).next();
        let code = code.context("there is no code in the picture")??;
        Ok(String::from_utf8(code.decode()?.payload)?)
    }

    /// Cookies of the page, as name and value.
    pub async fn cookies(&self) -> anyhow::Result<Vec<(String, String)>> {
        let cookies = self.client.get_all_cookies().await?;
        Ok(cookies
            .iter()
            .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
            .collect())
    }

    /// Closes it.
    pub async fn stop(self) -> anyhow::Result<()> {
        Ok(self.client.clone().close().await?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = self.driver.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(group) = group {
            // A group that is gone needs no ending.
            let _gone = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

async fn port_of(driver: &mut Child) -> anyhow::Result<u16> {
    let output = driver.stdout.take().context("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    let found = tokio::time::timeout(PATIENCE, async {
        while let Some(line) = lines.next_line().await? {
            let port = line
                .rsplit("port ")
                .next()
                .and_then(|rest| rest.trim_end_matches('.').parse().ok());
            if line.contains("started successfully")
                && let Some(port) = port
            {
                return Ok(port);
            }
        }
        anyhow::bail!("chromedriver ended before it said its port")
    });
    let port = found.await.context("chromedriver does not say its port")??;
    // It goes on writing; a full pipe would stop it.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(port)
}

fn capabilities(look: Look, profile: &Path) -> serde_json::Map<String, Value> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // Tests run as root in CI, where Chromium's own sandbox does not start; the pages are ours.
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={},{}", look.width, look.height),
        format!("--force-device-scale-factor={}", f64::from(look.zoom_percent) / 100.0),
        format!("--lang={}", look.language),
    ];
    if look.night {
        arguments.push("--force-dark-mode".to_owned());
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    // Below 500 pixels a window does not go, but an emulated device does. Zoom is a narrower page with larger pixels.
    let options = json!({
        "args": arguments,
        "prefs": { "intl.accept_languages": look.language },
        "mobileEmulation": { "deviceMetrics": {
            "width": look.width * 100 / look.zoom_percent, "height": look.height * 100 / look.zoom_percent,
            "pixelRatio": f64::from(look.zoom_percent) / 100.0, "touch": false, "mobile": false } },
    });
    let all = json!({ "goog:chromeOptions": options });
    all.as_object().cloned().unwrap_or_default()
}

/// The rules of axe, where `npm ci` in this folder has put them. None, with a loud line, where it has not.
pub fn axe() -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("node_modules/axe-core/axe.min.js");
    let found = std::fs::read_to_string(&path).ok();
    if found.is_none() {
        eprintln!("*** SKIPPED: axe is not there; run `npm ci` in tests/browser ***");
    }
    found
}
