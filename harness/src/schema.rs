//! JSON Schemas of the files that Sleet writes and reads, each with its version.
//!
//! Generated from the types themselves, so that they cannot lag behind; docs/schemas holds the committed copies.
//! Nothing here reads a file.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};

use crate::{
    fault::{PLAN_VERSION, Plan},
    run::{
        repro::{REPRO_VERSION, Repro},
        result::{RESULT_VERSION, RunResult},
        summary::{SUMMARY_VERSION, Summary},
    },
    trace::{Event, TRACE_VERSION},
};

/// A format of Sleet's files.
pub struct Format {
    /// The name, such as `plan`.
    pub name: &'static str,
    /// The files that have this format.
    pub about: &'static str,
    /// The version that is written.
    pub version: u32,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

/// All formats.
pub const ALL: &[Format] = &[
    Format::of::<Plan>("plan", "a plan, as `plan` of a saved failure", PLAN_VERSION),
    Format::of::<Repro>("repro", "a saved failure, `repro.json`", REPRO_VERSION),
    Format::of::<Event>("trace", "a line of `trace.jsonl`: an event", TRACE_VERSION),
    Format::of::<RunResult>("result", "a line of `results.jsonl`: a run", RESULT_VERSION),
    Format::of::<Summary>("summary", "`summary.json`: a suite", SUMMARY_VERSION),
];

impl Format {
    const fn of<T: JsonSchema>(name: &'static str, about: &'static str, version: u32) -> Self {
        Self {
            name,
            about,
            version,
            schema: SchemaGenerator::root_schema_for::<T>,
        }
    }

    /// Returns the format called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|format| format.name == name)
    }

    /// Returns the JSON Schema (draft 2020-12), as text.
    ///
    /// ```
    /// use sleet::schema::Format;
    ///
    /// let plan = Format::named("plan").expect("a format");
    /// let schema: serde_json::Value = serde_json::from_str(&plan.schema())?;
    /// assert_eq!(schema["$id"], "sleet:plan:3");
    /// assert!(schema["properties"]["topology"].is_object());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn schema(&self) -> String {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut schema = (self.schema)(&mut generator);
        schema.insert(
            "$id".to_owned(),
            format!("sleet:{}:{}", self.name, self.version).into(),
        );
        let text = serde_json::to_string_pretty(&schema);
        text.expect("a schema is plain data") + "\n"
    }
}
