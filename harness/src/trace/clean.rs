//! Removes from a text everything that differs from process to process or from machine to machine.
//!
//! The text of a panic or an error may contain a backtrace, folders of the machine that built it, a task id, a thread
//! id or an address in memory. None of these may reach a trace. The rest of a text stays unchanged.

use std::borrow::Cow;

use super::EventKind;

/// Prefixes of numbers that count across the process.
const COUNTED: [&str; 3] = ["JoinError::Panic(Id(", "JoinError::Cancelled(Id(", "ThreadId("];

/// The minimum number of hexadecimal digits of an address in memory; identifiers of protocols have 8.
const ADDRESS_DIGITS: usize = 9;

/// Cleans the texts in `kind` that come from outside the harness.
pub(super) fn event(kind: &mut EventKind) {
    let text = match kind {
        EventKind::Panicked { message, .. } | EventKind::Line { message, .. } => message,
        EventKind::Failed { error, .. } | EventKind::CandidateRefused { error, .. } => error,
        EventKind::Step { detail, .. }
        | EventKind::Violated { detail, .. }
        | EventKind::PointImpaired { detail, .. } => detail,
        _ => return,
    };
    if let Cow::Owned(cleaned) = clean(text) {
        *text = cleaned;
    }
}

/// Returns `text` without backtraces, folders, task ids, thread ids and addresses in memory.
pub fn clean(text: &str) -> Cow<'_, str> {
    let suspicious = ["acktrace", "/", "0x", "Id(", "task "];
    if !suspicious.iter().any(|s| text.contains(s)) {
        return Cow::Borrowed(text);
    }
    let text = without_backtrace(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        let taken = counted(rest, &mut out)
            .or_else(|| task(rest, &mut out))
            .or_else(|| address(rest, &mut out))
            .or_else(|| path(rest, &mut out));
        rest = match taken {
            Some(taken) => &rest[taken..],
            None => {
                out.push(next);
                &rest[next.len_utf8()..]
            }
        };
    }
    Cow::Owned(out)
}

/// Returns the path of a source file, or of a place in one, without the folders of the machine that built it:
/// `webrtc-ice-0.17.2/src/lib.rs` of a dependency, `own-client/src/main.rs` of a package elsewhere, else the file name.
pub(crate) fn short_path(path: &str) -> &str {
    if let Some((_, rest)) = path.split_once("/registry/src/") {
        return rest.split_once('/').map_or(rest, |(_, path)| path);
    }
    if !path.starts_with('/') {
        return path;
    }
    // The folder of the package is the one before `src`, `tests` or `examples`.
    let package = ["/src/", "/tests/", "/examples/"]
        .iter()
        .filter_map(|folder| path.rfind(folder))
        .max();
    let from = match package {
        Some(at) => path[..at].rfind('/'),
        None => path.rfind('/'),
    };
    from.map_or(path, |slash| &path[slash + 1..])
}

/// Ends a text where the listing of a backtrace begins, and empties a backtrace within it.
fn without_backtrace(text: &str) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if matches!(
            line.trim(),
            "Stack backtrace:" | "stack backtrace:" | "Backtrace:" | "backtrace:"
        ) {
            break;
        }
        kept.push_str(line);
    }
    if kept.len() < text.len() {
        kept.truncate(kept.trim_end().len());
    }
    while let Some(at) = kept.find("Backtrace [") {
        let open = at + "Backtrace ".len();
        let mut depth = 0_u32;
        let end = kept[open..].find(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.map_or(kept.len(), |end| open + end + 1);
        kept.replace_range(at..end, "a backtrace");
    }
    kept
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// Replaces the number of an id that counts across the process.
fn counted(rest: &str, out: &mut String) -> Option<usize> {
    let prefix = COUNTED.iter().find(|p| rest.starts_with(**p))?;
    let number = digits(&rest[prefix.len()..]);
    if number == 0 {
        return None;
    }
    out.push_str(prefix);
    out.push('_');
    Some(prefix.len() + number)
}

/// Recognises tokio's "task 13 was cancelled".
fn task(rest: &str, out: &mut String) -> Option<usize> {
    let after = rest.strip_prefix("task ")?;
    let number = digits(after);
    let verb = &after[number..];
    if number == 0 || !(verb.starts_with(" panicked") || verb.starts_with(" was cancelled")) {
        return None;
    }
    out.push_str("task");
    Some("task ".len() + number)
}

fn address(rest: &str, out: &mut String) -> Option<usize> {
    let hex = rest.strip_prefix("0x")?;
    let number = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    if number < ADDRESS_DIGITS {
        return None;
    }
    out.push_str("0x_");
    Some(2 + number)
}

/// Recognises an absolute path at the beginning of a word.
fn path(rest: &str, out: &mut String) -> Option<usize> {
    let begins_word = out
        .chars()
        .next_back()
        .is_none_or(|c| c.is_whitespace() || "\"'`([<=,".contains(c));
    if !rest.starts_with('/') || rest.starts_with("//") || !begins_word {
        return None;
    }
    let end = rest
        .find(|c: char| c.is_whitespace() || "\"'`)]>,".contains(c))
        .unwrap_or(rest.len());
    let whole = &rest[..end];
    if whole.matches('/').count() < 2 {
        return None;
    }
    let short = short_path(whole);
    if !short.contains('/') {
        out.push_str("…/");
    }
    out.push_str(short);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &str, want: &str) {
        assert_eq!(clean(raw), want, "of {raw:?}");
        assert_eq!(clean(want), want, "cleaned again");
    }

    #[test]
    fn plain_texts_stay_as_they_are() {
        for text in [
            "no remote description",
            "a=rtpmap:111 opus/48000/2",
            "http://example.org/a/b",
            "GET /call",
            "ssrc 0xdeadbeef, UserId(5), task 3 of 4",
        ] {
            cleaned(text, text);
        }
    }

    #[test]
    fn ids_and_addresses_lose_their_numbers() {
        cleaned(
            "called `Result::unwrap()` on an `Err` value: JoinError::Panic(Id(13), \"x\", ...)",
            "called `Result::unwrap()` on an `Err` value: JoinError::Panic(Id(_), \"x\", ...)",
        );
        cleaned("JoinError::Cancelled(Id(7))", "JoinError::Cancelled(Id(_))");
        cleaned(
            "task 13 panicked with message \"x\"",
            "task panicked with message \"x\"",
        );
        cleaned("task 13 was cancelled", "task was cancelled");
        cleaned("on ThreadId(12)", "on ThreadId(_)");
        cleaned("at 0x7f31c8a3b010.", "at 0x_.");
    }

    #[test]
    fn folders_of_the_machine_go() {
        cleaned(
            "cannot open '/home/x/app/config.json'",
            "cannot open '…/config.json'",
        );
        cleaned(
            "at /home/x/.cargo/registry/src/index-1/webrtc-ice-0.17.2/src/agent/mod.rs:7:3",
            "at webrtc-ice-0.17.2/src/agent/mod.rs:7:3",
        );
        cleaned("(/home/x/own-client/src/main.rs:3)", "(own-client/src/main.rs:3)");
    }

    #[test]
    fn backtraces_go() {
        cleaned(
            "it failed\n\nCaused by:\n    0: no\n\nStack backtrace:\n   0: core::panicking\n   1: main",
            "it failed\n\nCaused by:\n    0: no",
        );
        cleaned(
            "Error { why: 1, backtrace: Backtrace [{ fn: \"a\", line: [1] }, { fn: \"b\" }], more: 2 }",
            "Error { why: 1, backtrace: a backtrace, more: 2 }",
        );
    }
}
