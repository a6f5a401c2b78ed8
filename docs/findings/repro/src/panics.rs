//! What a panic says.

use std::panic::PanicHookInfo;

/// What a panic says, and in which file of the crate.
pub fn short(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(String::new, |at| {
        let file = at.file().rsplit('/').next().unwrap_or_default();
        format!(" ({file}:{})", at.line())
    });
    format!("{}{place}", info.payload_as_str().unwrap_or_default())
}
