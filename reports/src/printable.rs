//! Text that the code under test, or a stranger in the network, has chosen: it must not steer the terminal that shows it.

/// Returns `text` on one line, with a space for each control character.
///
/// ```
/// assert_eq!(sleet_reports::printable::printable("red: \u{1b}[31m\n"), "red:  [31m ");
/// ```
pub fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}
