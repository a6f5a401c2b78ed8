//! An app that is no calling app: acts, a section of the plan, an oracle and an explanation of its own, and a server of its own on
//! a host of any name. Notes are sent to an office, which forgets those that its plan says it forgets.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use sleet::{
    app::net::{TcpListener, TcpStream},
    driver::{App, Deployment, Launch, NoUser, NotUnderstood, Program, StartError},
    explain,
    fault::{Act, Plan, Scripted, When},
    net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    oracle::{Clue, Evidence, Oracle, Verdict, Violation},
    run::Runner,
    scenario::{Kind, Scenario},
    seed::Seed,
    shrink::{InProcess, Limits, Shrunk, shrink},
    trace::{EventKind, Intent},
    world::Host,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const SEED: Seed = Seed(1);

/// What the app reads of its section of the plan.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    /// What the office does with notes that begin so.
    habits: Vec<Habit>,
}

#[derive(Deserialize)]
struct Habit {
    begins: String,
    forgets: bool,
    #[serde(default)]
    after_ms: u64,
}

struct Office;

#[async_trait]
impl Program for Office {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError> {
        let section: Section = match &launch.plan.app {
            serde_json::Value::Null => Section::default(),
            section => serde_json::from_value(section.clone()).map_err(|e| StartError(e.to_string()))?,
        };
        let listener = TcpListener::bind("0.0.0.0:7000").await;
        let listener = listener.map_err(|e| StartError(e.to_string()))?;
        tokio::spawn(file_notes(launch.host, listener, section));
        Ok(Arc::new(NoUser))
    }
}

async fn file_notes(host: Host, listener: TcpListener, section: Section) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(note)) = lines.next_line().await {
            let habit = section.habits.iter().find(|h| note.starts_with(&h.begins));
            if let Some(habit) = habit {
                tokio::time::sleep(std::time::Duration::from_millis(habit.after_ms)).await;
            }
            let what = if habit.is_some_and(|h| h.forgets) {
                "forgets"
            } else {
                "files"
            };
            host.sim().step(what, &note);
        }
    }
}

struct Desk;
struct AtDesk(Host);

#[async_trait]
impl Program for Desk {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError> {
        Ok(Arc::new(AtDesk(launch.host)))
    }
}

#[async_trait]
impl App for AtDesk {
    async fn act(self: Arc<Self>, intent: Intent) -> Result<(), NotUnderstood> {
        let Intent::App { name, with } = intent else {
            return Err(NotUnderstood);
        };
        let note = with["note"].as_str().unwrap_or_default().to_owned();
        if name != "writes a note" {
            return Err(NotUnderstood);
        }
        self.0.sim().step("writes", &note);
        let sent = async {
            let mut stream = TcpStream::connect("office:7000").await?;
            stream.write_all(format!("{note}\n").as_bytes()).await
        };
        sent.await.map_err(|_| NotUnderstood)
    }
}

fn steps<'a>(evidence: Evidence<'a>, name: &'a str) -> impl Iterator<Item = (u64, &'a str)> {
    evidence.trace.events.iter().filter_map(move |e| match &e.kind {
        EventKind::Step { step, detail } if step == name => Some((e.seq, detail.as_str())),
        _ => None,
    })
}

/// Every note that is written is filed; `but` are notes that may be lost.
fn filed(but: &'static [&'static str]) -> &'static Oracle {
    Oracle::new(
        "OWN-01",
        "What is written is filed.",
        "the office's own rules",
        move |evidence| {
            let filed: BTreeSet<&str> = steps(evidence, "files").map(|(_, note)| note).collect();
            let lost =
                steps(evidence, "writes").find(|(_, note)| !filed.contains(note) && !but.contains(note));
            lost.map_or(Verdict::Pass, |(seq, note)| {
                let event = &evidence.trace.events[seq as usize];
                Verdict::Fail(Violation::at(event, format!("'{note}' was never filed")))
            })
        },
    )
}

fn plan(_: Seed) -> Plan {
    let host = |(name, address)| HostSpec::new(name, address, LinkProfile::default());
    let hosts = [("alice", "10.0.0.2"), ("office", "10.0.0.1")].map(host);
    let writes = |(ms, note): (u64, &str)| Scripted {
        host: "alice".into(),
        when: When::At { ms },
        act: Act::App {
            name: "writes a note".into(),
            with: json!({ "note": note }),
        },
    };
    Plan {
        app: json!({"habits": [
            {"begins": "re:", "forgets": false, "after_ms": 900},
            {"begins": "memo", "forgets": true, "after_ms": 700},
            {"begins": "bill", "forgets": true, "after_ms": 0},
        ]}),
        script: [(100, "re: rain"), (200, "bill 7"), (300, "memo on ice")]
            .map(writes)
            .into(),
        ..Plan::new(Topology::new(hosts))
    }
}

fn scenario() -> Arc<Scenario> {
    let notes = Scenario::played(
        Kind::Promise,
        "own/notes",
        plan,
        Deployment::of(Desk).server("office", Office),
    );
    let notes = notes
        .holds(&[filed(&["bill 7"])])
        .explained_by(|evidence, violation| {
            let forgotten = steps(evidence, "forgets").filter(|(_, note)| violation.why.contains(note));
            let clue = |(event, note)| Clue {
                event,
                what: format!("the office forgot '{note}'"),
            };
            forgotten.map(clue).collect()
        });
    Arc::new(notes)
}

fn smallest(scenario: &Arc<Scenario>) -> (InProcess, Shrunk) {
    let executor = InProcess {
        scenario: scenario.clone(),
        seed: SEED,
    };
    let limits = Limits {
        jobs: NonZeroUsize::MIN,
        tries: 1_000,
        go_on: &|| true,
    };
    let shrunk = shrink(&executor, &plan(SEED), limits, &mut |_| {}).expect("it fails");
    (executor, shrunk)
}

#[test]
fn what_is_not_to_blame_leaves_the_section_of_the_app() {
    let (_, shrunk) = smallest(&scenario());
    assert!(shrunk.complete);
    assert_eq!(shrunk.oracle, "OWN-01");
    assert_eq!(
        shrunk.plan.app,
        json!({"habits": [{"begins": "memo", "forgets": true}]})
    );
    let description: Vec<&str> = shrunk.elements.iter().map(|e| e.description.as_str()).collect();
    assert!(
        description.contains(&"alice does writes a note, at 300 ms"),
        "{description:?}"
    );
    assert_eq!(
        description.iter().filter(|w| w.starts_with("alice")).count(),
        1,
        "{description:?}"
    );
    assert!(
        description.contains(&r#"app.habits.begins: "memo""#),
        "{description:?}"
    );
}

#[test]
fn an_oracle_of_ones_own_is_explained_in_the_words_of_the_app() {
    let scenario = scenario();
    let (executor, shrunk) = smallest(&scenario);
    let record = Runner::new(&scenario, SEED)
        .with_plan(shrunk.plan.clone())
        .run()
        .expect("a run");
    let told = explain::explain(&executor, &scenario, &shrunk, &record).expect("a verdict");
    assert_eq!(told.why, "'memo on ice' was never filed");
    assert!(told.understood);
    let chain: Vec<&str> = told.chain.iter().map(|link| link.what.as_str()).collect();
    assert!(chain.contains(&"the office forgot 'memo on ice'"), "{chain:?}");
}

#[test]
fn a_client_may_be_called_server_where_there_is_no_service() {
    let mut plan = plan(SEED);
    plan.topology.hosts[0].name = "server".into();
    for scripted in &mut plan.script {
        scripted.host = "server".into();
    }
    plan.check().expect("a plan");
    assert!(plan.is_client("server"));
    let record = Runner::new(&scenario(), SEED)
        .with_plan(plan)
        .run()
        .expect("a run");
    let why = record.failure().map(|(_, violation)| violation.why.as_str());
    assert_eq!(why, Some("'memo on ice' was never filed"));
}
