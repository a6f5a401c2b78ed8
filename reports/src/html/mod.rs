//! A suite, or one failure, as one self-contained HTML file: no network, no other file, no server.
//!
//! - [`overview`]: what held and what broke, as text that reads and prints without any script
//! - [`mod@suite`]: the result in one line
//! - [`tables`]: remedies, mistakes, matrices, coverage, findings
//! - [`plot`]: the plots beside them
//! - [`reality`]: the same plans on kernel networks, where that was compared
//! - [`page`]: the page of a failure, packed into the file and drawn where it is opened
//!
//! The code that draws it is in `reports/assets`: plain scripts and one style sheet, no library.

mod overview;
mod page;
mod plot;
pub mod reality;
mod suite;
mod tables;

pub use page::{Other, Page};
pub use suite::Suite;

use std::fmt::Write as _;

const CSS: [&str; 2] = [
    include_str!("../../assets/report.css"),
    include_str!("../../assets/case.css"),
];
/// In the order of their dependencies.
const SCRIPTS: [&str; 5] = [
    include_str!("../../assets/timeline.js"),
    include_str!("../../assets/paint.js"),
    include_str!("../../assets/panels.js"),
    include_str!("../../assets/case.js"),
    include_str!("../../assets/app.js"),
];
/// The number of bytes for packed pages in a suite's file; further pages stay in the folders of their failures.
const PAGES_LIMIT: usize = 700_000;

/// Returns the file of a whole suite, with those of `pages` that fit, in their order.
pub fn suite(suite: &Suite<'_>, pages: &[Page]) -> String {
    let mut packed = Vec::new();
    let mut left = PAGES_LIMIT;
    for page in pages {
        let bytes = page.packed();
        if bytes.len() <= left {
            left -= bytes.len();
            packed.push((page.id(), bytes));
        }
    }
    let ids: Vec<&str> = packed.iter().map(|(id, _)| *id).collect();
    let body = overview::body(suite, &ids);
    document(&suite.title(), &body, &packed)
}

/// Returns the file of one failure.
pub fn failure(page: &Page) -> String {
    let body = format!(
        "<noscript><p>The timeline is drawn by a script. Without one: {}</p></noscript>",
        text(page.why())
    );
    document(page.id(), &body, &[(page.id(), page.packed())])
}

fn document(title: &str, body: &str, pages: &[(&str, String)]) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    // Nothing may be loaded from anywhere, whatever a trace contains.
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; img-src data:\">\n",
    );
    let _ = write!(
        out,
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n",
        text(title),
        CSS.concat()
    );
    out.push_str("<a class=\"skip\" href=\"#main\">To the content</a>\n");
    out.push_str(body);
    out.push_str("<div id=\"stage\" hidden></div>\n");
    for (id, packed) in pages {
        let id = text(id);
        let _ = writeln!(
            out,
            "<script type=\"application/octet-stream\" data-case=\"{id}\">{packed}</script>"
        );
    }
    for script in SCRIPTS {
        let _ = writeln!(out, "<script>\n{script}</script>");
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Escapes text for HTML, in an element or in an attribute.
fn text(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Returns a label in a colour: `good`, `bad`, `warn` or `note`.
fn pill(tone: &str, words: &str) -> String {
    format!("<span class=\"pill {tone}\">{}</span>", text(words))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
