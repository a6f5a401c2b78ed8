//! Generated blocks of a page, between two comments that are invisible in the rendered page.
//!
//! ```text
//! <!-- generated: remedies -->
//! ...
//! <!-- end of remedies -->
//! ```

use std::collections::BTreeMap;

use anyhow::{Context, bail};

/// The beginning of a block.
pub const BEGIN: &str = "<!-- generated: ";
const CLOSE: &str = " -->";

/// A block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The name of its generator.
    pub name: String,
    /// The text between the comments.
    pub text: String,
}

/// Returns the blocks of `page`, in order.
///
/// # Errors
/// Fails if a block does not end.
pub fn blocks(page: &str) -> anyhow::Result<Vec<Block>> {
    let mut blocks = Vec::new();
    parts(page, |name, text| {
        blocks.push(Block {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        None
    })?;
    Ok(blocks)
}

/// Replaces the blocks of `page` that are in `made`.
///
/// # Errors
/// Fails if a block does not end.
pub fn replace(page: &str, made: &BTreeMap<String, String>) -> anyhow::Result<String> {
    parts(page, |name, _| made.get(name).map(String::as_str))
}

/// Rebuilds `page`, with each block's text replaced by the result of `block` for its name and text, if there is one.
fn parts<'m>(page: &str, mut block: impl FnMut(&str, &str) -> Option<&'m str>) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find(BEGIN) {
        let (before, from) = rest.split_at(at);
        let (first, inside) = from.split_once('\n').context("a block begins in the last line")?;
        let name = first[BEGIN.len()..].trim_end().strip_suffix(CLOSE);
        let Some(name) = name else {
            bail!("'{first}' is no beginning of a block")
        };
        let end = format!("<!-- end of {name}{CLOSE}");
        let (text, after) = inside
            .split_once(end.as_str())
            .with_context(|| format!("the block '{name}' has no '{end}'"))?;
        let text = block(name, text).unwrap_or(text);
        out.push_str(&format!("{before}{first}\n{text}{end}"));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A\n<!-- generated: x -->\nold\n<!-- end of x -->\nby hand\n<!-- generated: y -->\n<!-- end of y -->\n";

    #[test]
    fn only_the_named_block_is_replaced() {
        let made = BTreeMap::from([("x".to_owned(), "new\nlines\n".to_owned())]);
        let wanted = PAGE.replace("old\n", "new\nlines\n");
        assert_eq!(replace(PAGE, &made).expect("blocks"), wanted);
        assert_eq!(replace(PAGE, &BTreeMap::new()).expect("blocks"), PAGE);
    }

    #[test]
    fn blocks_are_listed_and_one_without_an_end_is_refused() {
        let names: Vec<String> = blocks(PAGE)
            .expect("blocks")
            .into_iter()
            .map(|b| b.name)
            .collect();
        assert_eq!(names, ["x", "y"]);
        assert!(blocks("<!-- generated: x -->\nold\n").is_err());
        assert!(blocks("<!-- generated: x\nold\n").is_err());
    }
}
