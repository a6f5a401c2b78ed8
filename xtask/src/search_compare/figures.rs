//! The figures of a comparison: medians with intervals by order statistics, and the tables.
//!
//! Arithmetic and text only: nothing here runs anything.

use std::time::Duration;

use super::Planted;

/// What the searches of one mistake with one strategy came to.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// The number of runs of each search until the mistake was found; one more than allowed if it was not.
    pub runs: Vec<u64>,
    /// All runs.
    pub all: u64,
    /// How many of the plans that were found break something with the app without the mistake too.
    pub false_alarms: u64,
    /// The processor time of all.
    pub took: Duration,
}

/// A mistake, with both strategies.
pub struct Row {
    pub planted: Planted,
    pub swarm: Sum,
    pub guided: Sum,
}

impl Row {
    /// How many times as long guided search takes as the swarm: in processor time until the mistake is found.
    fn ratio(&self) -> f64 {
        self.guided.took.as_secs_f64() / self.swarm.took.as_secs_f64().max(1e-9)
    }

    /// The same in runs.
    fn ratio_of_runs(&self) -> f64 {
        self.guided.all as f64 / self.swarm.all.max(1) as f64
    }
}

/// The median of `values` with its 95 % interval, by the ranks between which the true median lies: low, median, high.
pub fn median(values: &[u64]) -> (u64, u64, u64) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let n = sorted.len();
    let at = |rank: usize| sorted.get(rank).copied().unwrap_or_default();
    let low = rank_below(n);
    (
        at(low),
        at(n.saturating_sub(1) / 2),
        at(n.saturating_sub(1 + low)),
    )
}

/// The largest rank, from 0, of `n` values in order whose value lies above the true median with a probability of at most 2.5 %.
fn rank_below(n: usize) -> usize {
    let mut term = 0.5_f64.powi(n as i32);
    let mut sum = 0.0;
    for k in 0..n {
        sum += term;
        if sum > 0.025 {
            return k.saturating_sub(1);
        }
        term *= (n - k) as f64 / (k + 1) as f64;
    }
    0
}

/// The geometric mean of `ratios`, with its 95 % interval by the normal distribution of their logarithms: low, mean, high.
fn geometric(ratios: &[f64]) -> (f64, f64, f64) {
    let n = ratios.len().max(2) as f64;
    let logs: Vec<f64> = ratios.iter().map(|r| r.max(1e-9).ln()).collect();
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = 1.96 * (variance / n).sqrt();
    ((mean - half).exp(), mean.exp(), (mean + half).exp())
}

/// Returns a row as a line of progress.
pub fn line(row: &Row) -> String {
    format!(
        "{} in {}: swarm {:?}, guided {:?}, false {} {}",
        row.planted.0,
        row.planted.1,
        median(&row.swarm.runs),
        median(&row.guided.runs),
        row.swarm.false_alarms,
        row.guided.false_alarms
    )
}

/// A promise with what swarm and guided search reached in it: features, and runs.
pub type Covered = (&'static str, (usize, u64), (usize, u64));

/// Returns the text of the block.
pub fn page(command: &str, most: u64, rows: &[Row], covered: &[Covered], sample: &str) -> String {
    let shown = |runs: u64| {
        if runs > most {
            format!("> {most}")
        } else {
            runs.to_string()
        }
    };
    let cell = |sum: &Sum| {
        let (low, middle, high) = median(&sum.runs);
        format!("{} ({} to {})", shown(middle), shown(low), shown(high))
    };
    let missed = |sum: &Sum| sum.runs.iter().filter(|runs| **runs > most).count();
    let per_run = |sum: &Sum| sum.took.as_secs_f64() * 1e3 / sum.all.max(1) as f64;
    let mut text = format!(
        "\n`{command}`, runs until the mistake is found, median of {} searches with its 95 % interval:\n\n",
        rows.first().map_or(0, |r| r.swarm.runs.len())
    );
    text += "| mistake | in the plans of | swarm | guided | not found: swarm, guided | ms of processor time a run: swarm, guided | guided / swarm, processor time |\n";
    text += "|---|---|---:|---:|---:|---:|---:|\n";
    for row in rows {
        text += &format!(
            "| {} | {} | {} | {} | {}, {} | {:.1}, {:.1} | {:.2} |\n",
            row.planted.0,
            row.planted.1,
            cell(&row.swarm),
            cell(&row.guided),
            missed(&row.swarm),
            missed(&row.guided),
            per_run(&row.swarm),
            per_run(&row.guided),
            row.ratio()
        );
    }
    let of = |ratio: fn(&Row) -> f64| {
        let (low, mean, high) = geometric(&rows.iter().map(ratio).collect::<Vec<_>>());
        format!("{mean:.2} (95 % interval {low:.2} to {high:.2})")
    };
    let total = |of: fn(&Row) -> &Sum| rows.iter().map(|r| of(r).took.as_secs_f64()).sum::<f64>();
    let alarms: u64 = rows
        .iter()
        .map(|r| r.swarm.false_alarms + r.guided.false_alarms)
        .sum();
    text += &format!(
        "\nGuided over swarm, geometric mean over the mistakes: {} of the runs, {} of the processor time. All searches together took {:.0} s \
         of processor time with the swarm, {:.0} s guided. The app without the mistake broke something in {alarms} of the plans found.\n",
        of(Row::ratio_of_runs),
        of(Row::ratio),
        total(|r| &r.swarm),
        total(|r| &r.guided),
    );
    text += "\nWhat is reached in the same processor time:\n\n| promise | swarm: features | runs | guided: features | runs |\n|---|---:|---:|---:|---:|\n";
    for (name, swarm, guided) in covered {
        text += &format!(
            "| {name} | {} | {} | {} | {} |\n",
            swarm.0, swarm.1, guided.0, guided.1
        );
    }
    text + &format!("\n<!-- {sample} -->\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_the_ranks_of_the_literature() {
        let values: Vec<u64> = (1..=20).collect();
        // Conover, Practical Nonparametric Statistics, table A3: ranks 6 and 15 of 20.
        assert_eq!(median(&values), (6, 10, 15));
        assert_eq!(median(&[7]), (7, 7, 7));
        assert_eq!(median(&[]), (0, 0, 0));
    }

    #[test]
    fn ratios_are_averaged_as_logarithms() {
        let (low, mean, high) = geometric(&[0.5, 2.0, 0.5, 2.0]);
        assert!((mean - 1.0).abs() < 1e-9 && low < 1.0 && high > 1.0);
    }
}
