//! The plan takes effect inside an app: steps take their time, messages are lost and doubled, invariants are judged, and
//! the app's log stands on the timeline.

use std::{collections::BTreeSet, io, num::NonZeroUsize, sync::Arc};

use sleet::{
    always,
    app::{
        LogBridge, PointRuling, Timeline, checkpoint, fault_point,
        net::{TcpListener, TcpStream},
    },
    explore::{Free, Order, Part, Repeats},
    fault::{self, Fault, Plan, SlowStep, Target, kinds::PointVerdict},
    net::latency::Latency,
    oracle::Verdict,
    run::{RunRecord, Runner},
    scenario::{Kind, Scenario},
    seed::Seed,
    shrink::{InProcess, Inventory, Limits, shrink},
    sometimes,
    trace::EventKind,
    world::Sim,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tracing_subscriber::layer::SubscriberExt;

use super::three_hosts;

/// A server of the app's own: what alice says, bob hears.
async fn relay() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    let (mut bob, _) = listener.accept().await?;
    let (alice, _) = listener.accept().await?;
    let mut lines = BufReader::new(alice).lines();
    while let Some(line) = lines.next_line().await? {
        checkpoint("relay").await;
        let text = format!("{line}\n");
        let copies = match fault_point("relay", &line) {
            PointRuling::Pass => 1,
            PointRuling::Delay(by) => {
                tokio::time::sleep(by).await;
                1
            }
            PointRuling::Drop => 0,
            PointRuling::Double => 2,
        };
        for _ in 0..copies {
            bob.write_all(text.as_bytes()).await?;
        }
    }
    Ok(())
}

async fn hear() -> io::Result<()> {
    let stream = TcpStream::connect("server:80").await?;
    let mut lines = BufReader::new(stream).lines();
    let mut heard = BTreeSet::new();
    while let Some(line) = lines.next_line().await? {
        log::info!(target: "chat::bob", "heard {line}");
        sometimes!(line == "3", "heard-three");
        always!(heard.insert(line.clone()), "nothing-twice", "{line} came again");
    }
    tracing::warn!(target: "chat::bob", how_many = heard.len(), "it is over");
    Ok(())
}

async fn say() -> io::Result<()> {
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut stream = TcpStream::connect("server:80").await?;
    for n in 0..5 {
        checkpoint("say").await;
        stream.write_all(format!("{n}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn story(sim: Sim, _: Arc<Plan>) {
    // Another test of this process may have been first.
    let _ = LogBridge::of(["chat"]).install(log::LevelFilter::Debug);
    let subscriber = tracing_subscriber::registry().with(Timeline::of(["chat"]));
    let _on_this_thread = tracing::subscriber::set_default(subscriber);
    let server = sim.host("server").spawn("relay", relay());
    let bob = sim.host("bob").spawn("hear", hear());
    let alice = sim.host("alice").spawn("say", say());
    for end in [alice, bob, server] {
        end.await.expect("it ends").expect("it works");
    }
    sim.all_turns_taken().await;
}

fn calm(_: Seed) -> Plan {
    Plan {
        fault_points: vec!["relay".into()],
        heal_at_ms: 10_000,
        horizon_ms: 30_000,
        ..Plan::new(three_hosts(0).topology)
    }
}

fn at_relay(nth: u64, verdict: fault::MessageFate) -> Fault {
    Fault::new(Target::point("relay"), PointVerdict { nth, verdict }, 0, None)
}

/// `faults`, from number 1 on.
fn numbered(faults: impl IntoIterator<Item = Fault>) -> Vec<Fault> {
    let mut plan = calm(Seed(1));
    faults.into_iter().for_each(|fault| plan.inject(fault));
    plan.faults
}

fn scenario() -> Arc<Scenario> {
    Arc::new(Scenario::new(Kind::Promise, "seam/chat", calm, story))
}

fn play(plan: Plan) -> RunRecord {
    plan.check().expect("a plan that can be run");
    Runner::new(&scenario(), Seed(1))
        .with_plan(plan)
        .run()
        .expect("the run takes place")
}

/// What bob's log says.
fn lines(record: &RunRecord) -> Vec<String> {
    let line = |kind: &EventKind| match kind {
        EventKind::Line {
            level,
            target,
            message,
        } => Some(format!("{level} {target}: {message}")),
        _ => None,
    };
    record.trace.of("bob").filter_map(|e| line(&e.kind)).collect()
}

#[test]
fn a_calm_plan_changes_nothing_and_the_log_stands_on_the_timeline() {
    let record = play(calm(Seed(1)));
    let mut expected: Vec<String> = (0..5).map(|n| format!("info chat::bob: heard {n}")).collect();
    expected.push("warn chat::bob: it is over how_many=5".into());
    assert_eq!(lines(&record), expected);
    assert_eq!(record.marks().get("heard-three"), Some(&1));
    assert_eq!(record.failure(), None);
    assert!(record.verdicts.contains(&("APP-01", Verdict::Pass)));
    assert_eq!(record.trace.digest, play(calm(Seed(1))).trace.digest);
}

#[test]
fn verdicts_fall_on_messages_by_their_number() {
    let faults = numbered([
        at_relay(0, fault::MessageFate::Drop),
        at_relay(2, fault::MessageFate::Delay { ms: 700 }),
    ]);
    let record = play(Plan {
        faults,
        ..calm(Seed(1))
    });
    let heard: Vec<String> = lines(&record)
        .into_iter()
        .filter(|l| l.contains("heard"))
        .collect();
    assert_eq!(heard.len(), 4);
    assert!(!heard[0].contains("heard 0"), "{heard:?}");
    let at = |text: &str| {
        let is = |kind: &EventKind| matches!(kind, EventKind::Line { message, .. } if message == text);
        record
            .trace
            .events
            .iter()
            .find(|e| is(&e.kind))
            .map(|e| e.at)
            .expect(text)
    };
    assert!((at("heard 2") - at("heard 1")).as_millis() >= 700);
    assert_eq!(record.marks().get("fault-point-hit"), Some(&2));
    let impaired = record.trace.events.iter().find_map(|e| match &e.kind {
        EventKind::PointImpaired { fault, point, detail } => Some(format!("{fault}; {point}; {detail}")),
        _ => None,
    });
    assert_eq!(impaired.as_deref(), Some("1; relay; 0"));
}

#[test]
fn a_broken_invariant_fails_by_its_oracle_and_shrinks_to_the_message() {
    let faults = numbered([
        at_relay(0, fault::MessageFate::Delay { ms: 300 }),
        at_relay(1, fault::MessageFate::Duplicate),
        at_relay(4, fault::MessageFate::Drop),
    ]);
    let slow = SlowStep {
        host: "server".into(),
        step: "relay".into(),
        by: Latency::constant_ms(90),
    };
    let plan = Plan {
        faults,
        slow_steps: vec![slow],
        ..calm(Seed(1))
    };
    let record = play(plan.clone());
    let (oracle, violation) = record.failure().expect("it breaks");
    assert_eq!(oracle, "APP-01");
    assert!(
        violation.why.contains("'nothing-twice' did not hold on bob"),
        "{}",
        violation.why
    );
    assert!(violation.why.ends_with(": 1 came again"), "{}", violation.why);

    let executor = InProcess {
        scenario: scenario(),
        seed: Seed(1),
    };
    let limits = Limits {
        jobs: NonZeroUsize::MIN,
        tries: 200,
        go_on: &|| true,
    };
    let shrunk = shrink(&executor, &plan, limits, &mut |_| {}).expect("it can be shrunk");
    assert!(shrunk.complete);
    let left: Vec<_> = Inventory::of(&shrunk.plan)
        .elements()
        .iter()
        .map(|e| e.description.clone())
        .filter(|description| description.contains("relay"))
        .collect();
    assert_eq!(left, ["message 1 at relay doubled"]);
}

#[test]
fn a_checkpoint_of_a_server_takes_its_time() {
    let slow = |host: &str, step: &str| SlowStep {
        host: host.into(),
        step: step.into(),
        by: Latency::constant_ms(90),
    };
    let length = |slow_steps| {
        let record = play(Plan {
            slow_steps,
            ..calm(Seed(1))
        });
        record.ended_at.as_millis()
    };
    let calm = length(Vec::new());
    assert_eq!(length(vec![slow("server", "relay")]), calm + 5 * 90);
    assert_eq!(
        length(vec![slow("alice", "relay")]),
        calm,
        "it is not alice's step"
    );
}

#[test]
fn a_checkpoint_is_a_free_step_where_the_plan_keeps_an_order() {
    let free = |host: &str, step: &str| Free {
        host: host.into(),
        step: step.into(),
    };
    let order = Order {
        free: vec![free("server", "relay"), free("alice", "say")],
        quiet_ms: 200,
        choices: Vec::new(),
        part: Part::default(),
        repeats: Repeats::RunOn,
    };
    let record = play(Plan {
        order: Some(order),
        ..calm(Seed(1))
    });
    let turns = record.trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Decision { taken, .. } => taken.clone(),
        _ => None,
    });
    let turns: Vec<String> = turns.collect();
    assert_eq!(turns.iter().filter(|t| t.contains("say")).count(), 5, "{turns:?}");
    assert_eq!(
        turns.iter().filter(|t| t.contains("relay")).count(),
        5,
        "{turns:?}"
    );
}

#[test]
fn two_verdicts_on_one_message_are_refused() {
    let faults = numbered([
        at_relay(3, fault::MessageFate::Drop),
        at_relay(3, fault::MessageFate::Duplicate),
    ]);
    let refused = Plan {
        faults,
        ..calm(Seed(1))
    }
    .check();
    let text = refused.expect_err("it cannot be run").to_string();
    assert!(text.starts_with("faults[1].kind.point-verdict.nth:"), "{text}");
}
