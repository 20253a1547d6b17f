//! Looks at a page: opens addresses, clicks, types, and keeps pictures. For the eyes of whoever builds a page.
//!
//! `cargo run -p browser --example look -- [--phone] [--night] [--en] STEP...` where a step is an address, `click:CSS`, `keys:TEXT`, `enter`, `wait:MS`, or
//! `picture:FILE`.

use std::path::Path;
use std::time::Duration;

use browser::{Browser, Look};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flag = |name: &str| arguments.iter().any(|argument| argument == name);
    let base = if flag("--phone") {
        Look::phone()
    } else {
        Look::default()
    };
    let look = Look {
        night: flag("--night"),
        language: if flag("--en") { "en" } else { "de" },
        zoom_percent: if flag("--zoom") { 200 } else { 100 },
        ..base
    };
    let browser = Browser::start(look).await?;
    for step in arguments.iter().filter(|argument| !argument.starts_with("--")) {
        match step.split_once(':') {
            Some(("click", css)) => browser.click(css).await?,
            Some(("keys", text)) => browser.keys(text).await?,
            Some(("wait", ms)) => tokio::time::sleep(Duration::from_millis(ms.parse()?)).await,
            Some(("picture", path)) => browser.picture(Path::new(path)).await?,
            Some(("axe", _)) => {
                if let Some(axe) = browser::axe() {
                    println!("{:#?}", browser.axe(&axe).await?);
                }
            }
            _ if step == "enter" => browser.enter().await?,
            _ => browser.open(step).await?,
        }
    }
    browser.stop().await
}
