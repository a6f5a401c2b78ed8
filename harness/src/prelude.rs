//! What a scenario needs, in one `use`.
//!
//! ```
//! use sleet::prelude::*;
//! ```

pub use crate::{
    driver::{Deployment, Program},
    fault::{Act, Directions, Fault, Plan, Scripted, SlowStep, Target, User, When},
    net::{
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    oracle::{Evidence, Oracle, Verdict, Violation},
    run::{RunRecord, Runner},
    scenario::{Expectation, Kind, KnownDefect, Row, Scenario},
    seed::{Ppm, Seed},
    world::Sim,
};
