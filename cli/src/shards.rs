//! `--shard auto`: the shard of this machine, from the variables that common engines set for their jobs.
//!
//! Each engine has its own way: counted from 0 or from 1, with or without a total. A shard whose total is unknown, or
//! on which two engines disagree, is refused: a suite that silently runs a part of itself twice, or never, is worse.

use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use sleet::run::shard::{Shard, ShardError};

/// The variable for what Kubernetes does not tell its indexed jobs: the number of completions of the job.
pub const TOTAL: &str = "SLEET_SHARD_TOTAL";

/// The `--shard` argument of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardArg {
    /// The shard that the engine says.
    Auto,
    /// This shard.
    Is(Shard),
}

impl FromStr for ShardArg {
    type Err = ShardError;

    fn from_str(s: &str) -> Result<Self, ShardError> {
        match s {
            "auto" => Ok(Self::Auto),
            s => s.parse().map(Self::Is),
        }
    }
}

/// A function that reads an environment variable.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// An engine, and the function that reads its shard; it returns `None` if the job is not one of several.
type Engine = (&'static str, fn(Env<'_>) -> anyhow::Result<Option<Shard>>);

const ENGINES: [Engine; 5] = [
    ("Kubernetes", kubernetes),
    ("Slurm", slurm),
    ("GitLab", gitlab),
    ("Buildkite", buildkite),
    ("Bazel", bazel),
];

/// Returns the shard that the engine around us says.
///
/// # Errors
/// Fails if no engine says one, two disagree, or one does not say the total.
pub fn auto(env: Env<'_>) -> anyhow::Result<Shard> {
    let mut found: Option<(&str, Shard)> = None;
    for (engine, ask) in ENGINES {
        let Some(shard) = ask(env).with_context(|| format!("--shard auto: {engine}"))? else {
            continue;
        };
        match found {
            Some((other, known)) if known != shard => {
                bail!("--shard auto: {other} says {known}, {engine} says {shard}: write --shard K/N")
            }
            _ => found = Some((engine, shard)),
        }
    }
    let names: Vec<&str> = ENGINES.iter().map(|(name, _)| *name).collect();
    let found = found.map(|(_, shard)| shard);
    found.with_context(|| {
        format!(
            "--shard auto: no shard variables of {} are set: write --shard K/N",
            names.join(", ")
        )
    })
}

/// Tells Bazel that the test supports sharding; without this, Bazel assumes that it ignores shards.
///
/// # Errors
/// Fails if the file cannot be created.
pub fn acknowledge(env: Env<'_>) -> anyhow::Result<()> {
    match env("TEST_SHARD_STATUS_FILE") {
        None => Ok(()),
        Some(path) => std::fs::write(&path, "").with_context(|| format!("cannot make '{path}'")),
    }
}

/// An indexed job: the index counts from 0, the total is the job's `completions`, which the pod is not told.
fn kubernetes(env: Env<'_>) -> anyhow::Result<Option<Shard>> {
    let Some(index) = number(env, "JOB_COMPLETION_INDEX")? else {
        return Ok(None);
    };
    let total = number(env, TOTAL)?.with_context(|| {
        format!("JOB_COMPLETION_INDEX is set, but not of how many: set {TOTAL} to the job's completions")
    })?;
    from_zero(index, total)
}

/// A job array: `--array=0-2`, `1-3` or `1-5:2`. A list with gaps cannot be numbered.
fn slurm(env: Env<'_>) -> anyhow::Result<Option<Shard>> {
    let Some(id) = number(env, "SLURM_ARRAY_TASK_ID")? else {
        return Ok(None);
    };
    let needed = |name: &str| number(env, name)?.with_context(|| format!("{name} is not set"));
    let (count, first) = (needed("SLURM_ARRAY_TASK_COUNT")?, needed("SLURM_ARRAY_TASK_MIN")?);
    let last = needed("SLURM_ARRAY_TASK_MAX")?;
    let step = number(env, "SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
    let is_even = first <= id && id <= last && (id - first).is_multiple_of(step);
    ensure!(
        is_even && (last - first) / step + 1 == count,
        "task {id} of an array of {count} from {first} to {last}, step {step}: its numbers have gaps; use --array=1-N"
    );
    from_zero((id - first) / step, count)
}

/// `parallel: N`: the index counts from 1, and is not set without `parallel`.
fn gitlab(env: Env<'_>) -> anyhow::Result<Option<Shard>> {
    let Some(index) = number(env, "CI_NODE_INDEX")? else {
        return Ok(None);
    };
    let total = number(env, "CI_NODE_TOTAL")?.context("CI_NODE_INDEX is set, but not CI_NODE_TOTAL")?;
    Ok(Some(Shard::new(index, total)?))
}

/// `parallelism: N`: the job counts from 0.
fn buildkite(env: Env<'_>) -> anyhow::Result<Option<Shard>> {
    let Some(job) = number(env, "BUILDKITE_PARALLEL_JOB")? else {
        return Ok(None);
    };
    let total = number(env, "BUILDKITE_PARALLEL_JOB_COUNT")?;
    from_zero(
        job,
        total.context("BUILDKITE_PARALLEL_JOB is set, but not BUILDKITE_PARALLEL_JOB_COUNT")?,
    )
}

/// `shard_count = N`: the index counts from 0.
fn bazel(env: Env<'_>) -> anyhow::Result<Option<Shard>> {
    let Some(index) = number(env, "TEST_SHARD_INDEX")? else {
        return Ok(None);
    };
    let total = number(env, "TEST_TOTAL_SHARDS")?;
    from_zero(
        index,
        total.context("TEST_SHARD_INDEX is set, but not TEST_TOTAL_SHARDS")?,
    )
}

fn from_zero(index: u64, total: u64) -> anyhow::Result<Option<Shard>> {
    let number = index.checked_add(1).context("the index is too large")?;
    Ok(Some(Shard::new(number, total)?))
}

fn number(env: Env<'_>, name: &str) -> anyhow::Result<Option<u64>> {
    let parse = |text: String| {
        text.parse()
            .with_context(|| format!("{name} is '{text}', not a number"))
    };
    env(name).filter(|text| !text.is_empty()).map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(variables: &str) -> Result<String, String> {
        let env = |name: &str| {
            let set = variables.split_whitespace().filter_map(|v| v.split_once('='));
            set.filter(|(n, _)| *n == name)
                .map(|(_, value)| value.to_owned())
                .next()
        };
        auto(&env)
            .map(|shard| shard.to_string())
            .map_err(|e| format!("{e:#}"))
    }

    #[test]
    fn each_engine_is_read_as_it_counts() {
        let cases = [
            ("JOB_COMPLETION_INDEX=0 SLEET_SHARD_TOTAL=3", "1/3"),
            ("JOB_COMPLETION_INDEX=2 SLEET_SHARD_TOTAL=3", "3/3"),
            (
                "SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=2 \
                 SLURM_ARRAY_TASK_STEP=1",
                "1/3",
            ),
            (
                "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=5 \
                 SLURM_ARRAY_TASK_STEP=2",
                "3/3",
            ),
            ("CI_NODE_INDEX=1 CI_NODE_TOTAL=4", "1/4"),
            ("BUILDKITE_PARALLEL_JOB=0 BUILDKITE_PARALLEL_JOB_COUNT=2", "1/2"),
            ("TEST_SHARD_INDEX=1 TEST_TOTAL_SHARDS=2", "2/2"),
            (
                "TEST_SHARD_INDEX=1 TEST_TOTAL_SHARDS=2 CI_NODE_INDEX=2 CI_NODE_TOTAL=2",
                "2/2",
            ),
        ];
        for (variables, shard) in cases {
            assert_eq!(says(variables).as_deref(), Ok(shard), "{variables}");
        }
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        let cases = [
            ("", "write --shard K/N"),
            ("CI_NODE_TOTAL=1", "no shard variables"),
            ("JOB_COMPLETION_INDEX=0", "set SLEET_SHARD_TOTAL"),
            (
                "JOB_COMPLETION_INDEX=3 SLEET_SHARD_TOTAL=3",
                "'4/3' is not a shard",
            ),
            ("SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_COUNT is not set"),
            (
                "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=9",
                "its numbers have gaps",
            ),
            (
                "CI_NODE_INDEX=x CI_NODE_TOTAL=4",
                "CI_NODE_INDEX is 'x', not a number",
            ),
            ("BUILDKITE_PARALLEL_JOB=0", "BUILDKITE_PARALLEL_JOB_COUNT"),
            ("TEST_SHARD_INDEX=0", "TEST_TOTAL_SHARDS"),
            (
                "TEST_SHARD_INDEX=0 TEST_TOTAL_SHARDS=2 CI_NODE_INDEX=2 CI_NODE_TOTAL=2",
                "GitLab says 2/2, Bazel says 1/2",
            ),
        ];
        for (variables, why) in cases {
            let error = says(variables).expect_err(variables);
            assert!(error.contains(why), "{variables}: {error}");
        }
    }
}
