//! Captures, read by tshark: every packet dissected, nothing malformed, and what an engineer looks for found.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use sleet::trace::EventKind;
use sleet_reports::pcap;

use crate::{
    runs::{self, Run},
    tools,
};

const TEST: &str = "tshark reads every capture";

/// What tshark prints of the packets that `filter` selects.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-2", "-r"]).arg(file);
    if !filter.is_empty() {
        command.args(["-Y", filter]);
    }
    if !fields.is_empty() {
        command.args(["-T", "fields"]);
        fields.iter().for_each(|field| {
            command.args(["-e", field]);
        });
    }
    tools::output(&mut command).lines().map(str::to_owned).collect()
}

fn written(name: &str, run: &Run) -> std::path::PathBuf {
    let made = pcap::pcapng(&run.record, &run.tapped).expect("a capture");
    assert_eq!(
        made,
        pcap::pcapng(&run.record, &run.tapped).expect("a capture"),
        "made twice"
    );
    let again = runs::play(&run.scenario, run.record.seed);
    assert_eq!(
        made,
        pcap::pcapng(&again.record, &again.tapped).expect("a capture"),
        "of two runs"
    );
    let file = tools::folder(name).join("capture.pcapng");
    fs::write(&file, made).expect("it is written");
    file
}

/// What every capture must be.
fn is_sound(run: &Run, file: &Path) {
    let all = tshark(file, "", &["frame.number"]);
    assert!(all.len() >= run.record.packets as usize, "every packet is there");
    if !runs::damages(&run.record) {
        let malformed = tshark(file, "_ws.malformed", &[]);
        assert!(malformed.is_empty(), "{malformed:#?}");
    }
    let sums = tshark_checked(file);
    assert!(sums.is_empty(), "checksums of undamaged headers: {sums:#?}");
    let resent = tshark(
        file,
        "tcp.analysis.retransmission || tcp.analysis.lost_segment",
        &[],
    );
    assert!(resent.is_empty(), "connections are whole: {resent:#?}");
    let times = tshark(file, "frame.time_epoch < 1767225600", &[]);
    assert!(times.is_empty(), "times are those of the simulated calendar");
}

fn tshark_checked(file: &Path) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(file);
    command.args([
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
    ]);
    command.args([
        "-Y",
        "ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0",
    ]);
    tools::output(&mut command).lines().map(str::to_owned).collect()
}

#[test]
fn a_call_between_full_peers_is_stun_dtls_and_websocket() {
    if tools::program("tshark").is_none() {
        return tools::skipped(TEST, "tshark");
    }
    let run = runs::find("candidates/buffer-both", |r| r.failure().is_none());
    let file = written("pcap-full", &run);
    is_sound(&run, &file);
    let nominating = tshark(
        &file,
        "stun.type == 0x0001 && stun.att.type == 0x0025",
        &["frame.number"],
    );
    assert!(!nominating.is_empty(), "binding requests with USE-CANDIDATE");
    let offers = tshark(
        &file,
        "websocket && websocket.payload.text contains \"offer\"",
        &["frame.number"],
    );
    assert!(!offers.is_empty(), "the WebSocket text of an offer");
    let interfaces = tshark(&file, "", &["frame.interface_name"]);
    for host in ["alice", "bob", "server"] {
        assert!(interfaces.iter().any(|i| i == host), "an interface of {host}");
    }
}

#[test]
fn a_call_over_a_relay_is_turn_and_dtls() {
    if tools::program("tshark").is_none() {
        return tools::skipped(TEST, "tshark");
    }
    let run = runs::find("nat/full-peers", runs::relayed);
    let file = written("pcap-relay", &run);
    is_sound(&run, &file);
    for (what, filter) in [
        ("TURN allocations", "stun.type == 0x0003"),
        ("DTLS", "dtls.handshake.type == 1"),
        ("names of hosts", "ip.host == \"alice\""),
    ] {
        let mut command = Command::new("tshark");
        command.args(["-r"]).arg(&file).args(["-N", "n", "-Y", filter]);
        assert!(!tools::output(&mut command).is_empty(), "{what}");
    }
}

#[test]
fn what_was_lost_says_by_what() {
    if tools::program("tshark").is_none() {
        return tools::skipped(TEST, "tshark");
    }
    let run = runs::find("chaos/buffer-both", runs::drops);
    let file = written("pcap-drops", &run);
    is_sound(&run, &file);
    let comments = tshark(&file, "frame.comment contains \"dropped:\"", &["frame.comment"]);
    // A packet that was doubled is there twice, with what became of both.
    let events = run.record.trace.events.iter();
    let dropped: BTreeSet<String> = events
        .filter_map(|e| match &e.kind {
            EventKind::PacketDropped { packet, .. } => Some(format!("#{packet}")),
            _ => None,
        })
        .collect();
    let number = |comment: &String| comment.split(',').next().map(str::to_owned);
    let told: BTreeSet<String> = comments.iter().filter_map(number).collect();
    assert!(
        !told.is_empty() && told.is_subset(&dropped),
        "{told:?} of {dropped:?}"
    );
    assert!(comments.iter().all(|c| c.contains("event ")), "{comments:#?}");
}
