//! Plots of the remedy table as SVG, which show and print without a script.

use std::{collections::BTreeMap, fmt::Write as _};

use super::text;
use crate::gather::BIN_MS;

const WIDTH: f64 = 1_180.0;
const NAMES: f64 = 210.0;
const RATES: f64 = 330.0;
const ROW: f64 = 34.0;
const TOP: f64 = 34.0;
/// The number of bars of a distribution.
const BARS: usize = 120;

/// The data of a policy for the plot.
pub(super) struct Distribution<'a> {
    pub name: &'a str,
    pub rate: f64,
    pub low: f64,
    pub high: f64,
    /// The times to connect: counts, in bins.
    pub bins: &'a BTreeMap<u64, u64>,
    pub median_ms: Option<u64>,
    pub p95_ms: Option<u64>,
}

/// Plots rates with their intervals on the left, times to connect on the right, one row per policy.
pub(super) fn remedies(rows: &[Distribution<'_>]) -> String {
    let height = TOP + ROW * rows.len() as f64 + 26.0;
    let longest = rows
        .iter()
        .filter_map(|r| r.bins.last_key_value())
        .map(|(bin, _)| (bin + 1) * BIN_MS)
        .max();
    let longest = nice(longest.unwrap_or(1_000));
    let mut out = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Success rates with 95 % intervals and distributions of times to connect, as in the table above\">"
    );
    axes(&mut out, height, longest);
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + ROW * i as f64;
        let middle = y + ROW / 2.0;
        let _ = write!(
            out,
            "<text x=\"0\" y=\"{:.1}\">{}</text>",
            middle + 4.0,
            text(row.name)
        );
        let rate = |share: f64| NAMES + share * (RATES - 20.0);
        let _ = write!(
            out,
            "<line class=\"ci\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/><circle class=\"dot\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4\"><title>{:.1} % ({:.1} to {:.1})</title></circle>",
            rate(row.low),
            rate(row.high),
            rate(row.rate),
            row.rate * 100.0,
            row.low * 100.0,
            row.high * 100.0
        );
        histogram(&mut out, row, y, longest);
    }
    out.push_str("</svg>");
    out
}

fn axes(out: &mut String, height: f64, longest: u64) {
    let bottom = height - 22.0;
    for percent in [0_u32, 25, 50, 75, 100] {
        let x = NAMES + f64::from(percent) / 100.0 * (RATES - 20.0);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/><text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{percent} %</text>",
            height - 6.0
        );
    }
    for fifth in 0..=5_u64 {
        let ms = longest * fifth / 5;
        let x = time_x(ms, longest);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/><text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{ms} ms</text>",
            height - 6.0
        );
    }
    let _ = write!(
        out,
        "<text class=\"soft\" x=\"{NAMES}\" y=\"16\">connected, with 95 % interval</text><text class=\"soft\" x=\"{:.1}\" y=\"16\">time to connect: how often, with median and 95th percentile</text>",
        time_x(0, longest)
    );
}

fn time_x(ms: u64, longest: u64) -> f64 {
    let begin = NAMES + RATES + 30.0;
    begin + ms as f64 / longest as f64 * (WIDTH - begin - 30.0)
}

fn histogram(out: &mut String, row: &Distribution<'_>, y: f64, longest: u64) {
    let mut bars = vec![0_u64; BARS];
    for (bin, count) in row.bins {
        let at = (bin * BIN_MS) as usize * BARS / longest as usize;
        bars[at.min(BARS - 1)] += count;
    }
    let most = bars.iter().copied().max().unwrap_or(0);
    let width = (time_x(longest, longest) - time_x(0, longest)) / BARS as f64;
    for (i, count) in bars.iter().enumerate().filter(|(_, count)| **count > 0) {
        let tall = (ROW - 8.0) * *count as f64 / most as f64;
        let _ = write!(
            out,
            "<rect class=\"hist\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\"/>",
            time_x(0, longest) + width * i as f64,
            y + ROW - 4.0 - tall,
            width - 0.6
        );
    }
    for (ms, dash) in [(row.median_ms, ""), (row.p95_ms, " stroke-dasharray=\"3 2\"")] {
        let Some(ms) = ms else { continue };
        let x = time_x(ms, longest);
        let _ = write!(
            out,
            "<line class=\"med\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"{dash}><title>{ms} ms</title></line>",
            y + 4.0,
            y + ROW - 4.0
        );
    }
}

/// Returns the next number that divides into five even parts.
fn nice(ms: u64) -> u64 {
    let power = 10_u64.pow(ms.max(1).ilog10());
    let tenths = [10, 15, 20, 25, 30, 40, 50, 75, 100].map(|n| n * power / 10);
    tenths.into_iter().find(|n| *n >= ms).unwrap_or(10 * power).max(5)
}
