//! Consent: who is not answered any more has to stop, whatever else comes from there (finding 0020).

use sleet::{
    fault::{
        Stray,
        kinds::{OneWayPartition, Strangers},
    },
    prelude::*,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    network::open,
};

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
/// The time at which bob can send no more, or alice is gone, in milliseconds: they talk by then.
const GONE_MS: u64 = 6_000;
/// The time at which all is well again, in milliseconds: after consent and ICE have failed.
const HEALS_MS: u64 = 60_000;
/// The interval at which a stranger speaks for alice, in milliseconds: shorter than the five seconds after which ICE says that it is
/// disconnected.
const SPEAKS_EVERY_MS: u64 = 2_000;

/// Returns the findings.
pub fn family() -> Vec<Scenario> {
    let in_vain = "What bob sends does not arrive, so nobody answers his checks: he goes on sending for as long as he hears alice.";
    vec![
        finding("findings/consent-ignored", CLIENT.full(), bob_sends_in_vain).about(in_vain),
        finding("findings/consent-ignored-bare", CLIENT.bare(), bob_sends_in_vain).about(in_vain),
        // On full peers, noise may also end the task that reads RTCP (finding 0021).
        finding(
            "findings/consent-forged-bare",
            CLIENT.bare(),
            a_stranger_speaks_for_alice,
        )
        .about(
            "Alice is gone, and a stranger sends noise in her name: bob says connected, and goes on sending.",
        ),
    ]
}

fn finding(name: &str, app: Make, network: fn(Seed) -> Plan) -> Scenario {
    played(Kind::Finding, name, network, app)
        .from("docs/findings/0020-no-consent.md")
        .from("RFC 7675 section 5.1")
        .holds(&[&CAND_01_APPLIED])
        .expects(Expectation::broken(&CONS_01_ANSWERED, 1))
}

/// A call on an open network that talks until after the healing.
fn talking(seed: Seed) -> Plan {
    let mut plan = Plan {
        heal_at_ms: HEALS_MS,
        talk_every_ms: Some(1_000),
        talk_ms: HEALS_MS,
        horizon_ms: HEALS_MS + 120_000,
        ..open(seed)
    };
    plan.service().acknowledged = true;
    plan
}

fn bob_sends_in_vain(seed: Seed) -> Plan {
    let mut plan = talking(seed);
    let target = Target::ends("bob", Directions::Up);
    plan.inject(Fault::new(target, OneWayPartition {}, GONE_MS, None));
    plan
}

fn a_stranger_speaks_for_alice(seed: Seed) -> Plan {
    let mut plan = talking(seed);
    let target = Target::ends("alice", Directions::Up);
    plan.inject(Fault::new(target, OneWayPartition {}, GONE_MS, None));
    for at_ms in (GONE_MS..HEALS_MS).step_by(SPEAKS_EVERY_MS as usize) {
        let stranger = Strangers {
            from: "192.0.2.66".parse().expect("an address"),
            send: Stray::Forged,
            copies: 1,
        };
        plan.inject(Fault::new(Target::host("bob"), stranger, at_ms, None));
    }
    plan
}
