//! How much of the app exists only for Sleet.
//!
//! Glue is every line of code of `src/sim.rs` and `src/bin/own-sim.rs`, and of the app's own files every line that names Sleet
//! or that a `cfg` switches. Blank lines and comments are none. What is to be tried, the catalogue in `src/scenarios.rs`, is
//! counted by itself, as tests are no glue; `Cargo.toml` is not counted, and neither is `src/scenarios/play.rs`, by which this repository
//! compares the simulation with real networks.

use std::{fs, path::Path};

const GLUE: [&str; 2] = ["src/sim.rs", "src/bin/own-sim.rs"];
const CATALOGUE: &str = "src/scenarios.rs";

#[test]
fn the_glue_is_less_than_100_lines() {
    let glue: usize = GLUE.iter().map(|file| code(&read(file)).count()).sum();
    let inside: usize = app().iter().map(|file| switched(&read(file))).sum();
    let tried = code(&read(CATALOGUE)).count();
    println!(
        "{glue} lines of glue and {inside} inside the app exist only for Sleet; {tried} say what is tried"
    );
    assert!(glue > 0, "there is no glue to count");
    assert!(
        glue + inside < 100,
        "{glue} lines of glue and {inside} inside the app"
    );
}

#[test]
fn what_a_cfg_switches_is_one_line() {
    for file in app() {
        let text = read(&file);
        let lines: Vec<&str> = code(&text).collect();
        for pair in lines.windows(2).filter(|pair| is_switch(pair[0])) {
            // Else the count would miss the lines after it.
            assert!(pair[1].trim_end().ends_with(';'), "{file}: {}", pair[1]);
        }
    }
}

/// The lines of an app's file that are there only because of Sleet.
fn switched(text: &str) -> usize {
    let lines: Vec<&str> = code(text).collect();
    let after_switch = |i: usize| i > 0 && is_switch(lines[i - 1]);
    let counts = |i: &usize| {
        let line = lines[*i];
        is_switch(line) || line.contains("sleet") || (after_switch(*i) && !lines[*i - 1].contains("not("))
    };
    (0..lines.len()).filter(counts).count()
}

fn is_switch(line: &str) -> bool {
    line.contains("#[cfg(") && line.contains("feature = \"sleet\"")
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    text.lines().filter(is_code)
}

/// The app's source files.
fn app() -> Vec<String> {
    let files = fs::read_dir(root().join("src")).expect("the folder of the sources");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|n| n.ends_with(".rs"))
        .map(|n| format!("src/{n}"))
        .collect();
    names.retain(|name| !GLUE.contains(&name.as_str()) && name != CATALOGUE);
    names.sort();
    names
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
