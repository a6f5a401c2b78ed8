//! A phone that is a page in a browser of its own: taps go in, and what it shows comes out.
//!
//! The page is `page/phone.html`. It knows nothing of what drives it but a function `report`, which a browser's debugger gives it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::devtools::Browser;

/// How a page is opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Whose phone it is.
    pub user: String,
    /// The signaling server, `host:port`.
    pub server: String,
    /// Whether candidates are added as they come.
    pub is_naive: bool,
    /// A STUN server, `stun:host:port`.
    pub stun: Option<String>,
    /// Whether the browser hides its addresses behind names of mDNS, as it does by default.
    pub hides_addresses: bool,
}

/// A page in its browser.
pub struct Page {
    browser: Browser,
    session: String,
    target: String,
}

/// The browser's own switches. The page is no website: whether a website may reach a server nearby is not asked here.
fn flags(opened: &Opened) -> Vec<String> {
    let hides = (!opened.hides_addresses).then_some(",WebRtcHideLocalIpsWithMdns");
    vec![format!(
        "--disable-features=LocalNetworkAccessChecks{}",
        hides.unwrap_or_default()
    )]
}

/// Where the page is.
fn url(opened: &Opened) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/phone.html");
    let trickle = if opened.is_naive { "naive" } else { "buffered" };
    let mut url = format!(
        "file://{}?user={}&server={}&trickle={trickle}",
        page.display(),
        opened.user,
        opened.server
    );
    if let Some(stun) = &opened.stun {
        url = format!("{url}&stun={stun}");
    }
    url
}

impl Page {
    /// Opens a phone in `program`; what it shows goes to `shown` as it is reported.
    ///
    /// # Errors
    /// When the browser does not start, or the page does not open.
    pub async fn open(
        program: &Path,
        opened: &Opened,
        shown: UnboundedSender<Value>,
    ) -> anyhow::Result<Self> {
        let (mut browser, mut events) = Browser::start(program, &flags(opened)).await?;
        let made = browser
            .command(None, "Target.createTarget", json!({"url": "about:blank"}))
            .await?;
        let target = text(&made, "targetId")?;
        let attach = json!({"targetId": target, "flatten": true});
        let attached = browser.command(None, "Target.attachToTarget", attach).await?;
        let mut page = Self {
            browser,
            session: text(&attached, "sessionId")?,
            target,
        };
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Some(said) = reported(&event) {
                    // Whoever opened the page may not look any more.
                    let _ = shown.send(said);
                }
            }
        });
        page.command("Page.enable", json!({})).await?;
        page.command("Runtime.enable", json!({})).await?;
        page.command("Runtime.addBinding", json!({"name": "report"}))
            .await?;
        let went = page.command("Page.navigate", json!({"url": url(opened)})).await?;
        match went["errorText"].as_str() {
            Some(error) => Err(anyhow!("{}: {error}", url(opened))),
            None => Ok(page),
        }
    }

    /// Taps.
    ///
    /// # Errors
    /// When the page is gone.
    pub async fn tap(&mut self, tap: &Value) -> anyhow::Result<()> {
        self.evaluate(&format!("phone.tap({tap})")).await.map(drop)
    }

    /// What the page knows of `call`.
    ///
    /// # Errors
    /// When the page is gone.
    pub async fn look(&mut self, call: &str) -> anyhow::Result<Value> {
        self.evaluate(&format!("phone.look({})", json!(call))).await
    }

    /// Closes the page, as a user closes a tab; the browser lives on.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn close(&mut self) -> anyhow::Result<()> {
        let target = json!({"targetId": self.target});
        self.browser
            .command(None, "Target.closeTarget", target)
            .await
            .map(drop)
    }

    /// Kills the browser.
    ///
    /// # Errors
    /// When the system cannot.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.browser.kill().await
    }

    /// The value of `expression` in the page.
    ///
    /// # Errors
    /// When the page is gone, or throws.
    pub async fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.command("Runtime.evaluate", asked).await?;
        match answer.get("exceptionDetails") {
            Some(thrown) => Err(anyhow!("{expression}: {thrown}")),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    async fn command(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.browser.command(Some(&self.session), method, params).await
    }
}

/// What a page said to `report`, if that is what happened.
fn reported(event: &Value) -> Option<Value> {
    if event["method"] != "Runtime.bindingCalled" || event["params"]["name"] != "report" {
        return None;
    }
    serde_json::from_str(event["params"]["payload"].as_str()?).ok()
}

fn text(answer: &Value, name: &str) -> anyhow::Result<String> {
    let text = answer[name].as_str().with_context(|| format!("no {name}"))?;
    Ok(text.to_owned())
}

/// The program of the browser: the first of its names on the path.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut named = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    named.find(|file| file.is_file())
}

/// What distributions call it.
const NAMES: [&str; 2] = ["chromium", "chromium-browser"];

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Opened {
        Opened {
            user: "alice".into(),
            server: "198.51.100.1:8080".into(),
            is_naive: true,
            stun: None,
            hides_addresses: false,
        }
    }

    #[test]
    fn a_page_is_told_by_its_address_how_it_is_set_up() {
        let naive = url(&opened());
        assert!(naive.ends_with("phone.html?user=alice&server=198.51.100.1:8080&trickle=naive"));
        assert!(naive.starts_with("file:///"), "{naive}");
        let stun = Opened {
            stun: Some("stun:198.51.100.9:3478".into()),
            ..opened()
        };
        assert!(url(&stun).ends_with("&stun=stun:198.51.100.9:3478"));
    }

    #[test]
    fn addresses_are_hidden_by_default_only() {
        let names = |opened: &Opened| flags(opened).concat().contains("WebRtcHideLocalIpsWithMdns");
        assert!(names(&opened()));
        let hides = Opened {
            hides_addresses: true,
            ..opened()
        };
        assert!(!names(&hides));
    }

    #[test]
    fn only_what_the_page_reports_is_shown() {
        let event = |method: &str, name: &str| {
            let payload = r#"{"shown": "on"}"#;
            json!({"method": method, "params": {"name": name, "payload": payload}})
        };
        let shown = reported(&event("Runtime.bindingCalled", "report"));
        assert_eq!(shown, Some(json!({"shown": "on"})));
        assert_eq!(reported(&event("Runtime.bindingCalled", "other")), None);
        assert_eq!(reported(&event("Page.loadEventFired", "report")), None);
    }
}
