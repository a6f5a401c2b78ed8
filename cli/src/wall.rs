//! Wall time, for the terminal, the manifest and budgets. No result may depend on it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the current instant, for measuring.
#[allow(clippy::disallowed_methods, reason = "budgets and the terminal")]
pub fn now() -> Instant {
    Instant::now()
}

/// Returns the seconds since 1970.
#[allow(
    clippy::disallowed_methods,
    reason = "the manifest, and the base of a soak's seeds"
)]
pub fn unix_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| d.as_secs())
}

/// Returns the civil date (UTC) as a number: 20260131 for the last of January 2026.
pub fn date(unix_s: u64) -> u64 {
    let mut days = unix_s / 86_400;
    let is_leap = |y: u64| y.is_multiple_of(4) && !y.is_multiple_of(100) || y.is_multiple_of(400);
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    year * 10_000 + month * 100 + days + 1
}

/// Parses `90s`, `10m` or `2h`.
///
/// # Errors
/// Returns a sentence that says what to write.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let advice = || format!("'{text}' is not a duration: write 90s, 10m or 2h");
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(advice()),
    };
    let number: u64 = number.parse().map_err(|_| advice())?;
    let total = number.checked_mul(seconds).filter(|n| *n > 0);
    total.map(Duration::from_secs).ok_or_else(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, 19_700_101),
            (951_782_400, 20_000_229),
            (951_868_800, 20_000_301),
            (1_767_225_599, 20_251_231),
            (1_767_225_600, 20_260_101),
        ];
        for (unix_s, expected) in cases {
            assert_eq!(date(unix_s), expected);
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7_200)));
        for bad in ["", "10", "m", "-1m", "1d", "0s", "1.5h", "99999999999999999999h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
