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
    oracle::{
        Evidence, Oracle, Verdict, Violation,
        after::{CALL_02_QUIET, CALL_03_DEAD},
        again::CONN_02_OUTLIVES,
        app::APP_01_INVARIANTS,
        calls::CONN_01_CONNECTS,
        candidates::{CAND_01_APPLIED, CAND_02_OWN_GENERATION},
        causes::{CALL_04_CAUSED, CALL_05_TRUE},
        comeback::BACK_01_COMES_BACK,
        connection::STATE_02_COMPUTED,
        consent::CONS_01_ANSWERED,
        events::{STATE_05_NEWS, STATE_06_LAST_WORD},
        factory::FACT_01_AS_LONG_AS_CALLS,
        forks::{CALL_06_ONE, RING_02_ANSWERED, RING_03_REFUSED},
        gathering::STATE_03_ONE_END,
        hangup::{HANG_01_RETURNS, TEAR_03_CLOSED_ONCE, TEAR_04_CLOSED_FIRST},
        heeded::INT_01_HEEDED,
        ice::STATE_01_EDGES,
        liveness::TIME_01_TIMELY,
        once::SAID_01_ONCE,
        outcomes::{CALL_01_AGREED, CONN_03_GOES_ON},
        pace::PACE_01_PACED,
        pairs::{PAIR_01_MIRRORED, PAIR_02_BEST, PAIR_03_RANKED, PAIR_04_LAST_PAIR},
        peers::{TEAR_01_CLOSES, TEAR_02_NOTHING_LEFT, TEAR_05_STACK_ENDS},
        reach::REACH_01_AS_COMPUTED,
        ringing::RING_01_CALLED,
        runs::{RUN_01_NO_PANIC, RUN_02_BOUNDED, RUN_03_PLAYED},
        signaling::STATE_04_TURNS,
        silent::TEAR_06_SILENT,
        talk::TALK_01_TO_THE_END,
        told::RING_04_TOLD,
        trickle::TRIC_01_ENDS,
        wire::{WIRE_01_PROTECTED, WIRE_02_ROLES, WIRE_03_PRIORITY, WIRE_04_CONFLICT},
    },
    run::{
        RunRecord, Runner,
        result::{CONNECT_MS, RECOVER_MS, SILENCE_MS},
    },
    scenario::{Expectation, Kind, KnownDefect, Row, Scenario},
    seed::{Ppm, Seed},
    world::Sim,
};
