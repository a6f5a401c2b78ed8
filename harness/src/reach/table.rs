//! Reachability of two hosts behind a NAT each, as a table: all 100 cells, from the rules of RFC 4787 and nothing else.
//!
//! It complements [`super::expected`], which is computed over the NATs of the harness: a NAT that forgets a rule
//! deceives that computation, which uses the same code, but not this table. Nothing here may import what moves packets.

use super::Reach;
use crate::{
    fault::Plan,
    net::{firewall::Filtering, nat::Mapping, topology::HostSpec},
};

/// The NAT of a side, in the order of the rows and columns: none, then mapping by filtering, each endpoint-independent
/// (EI), address-dependent (AD), or address and port-dependent (APD).
const SIDES: usize = 10;

/// The result with STUN alone; `D` is direct, `.` impossible. With TURN, a pair that is not direct uses the relay.
///
/// A pair is direct if some check arrives through the mapping that it was sent to, and the answer comes back from
/// there:
///
/// - An open side is reached at its own address, and answers through the mapping that asked.
/// - Two EI mappings are known before the first check, and either side's own checks open its filter.
/// - An EI mapping and one that is not: the other's checks come from a port that was never signaled. EI and AD filters
///   let it in all the same, the latter because a check went to that address; an APD filter never does.
/// - Two mappings that are not EI: some check has to arrive at the mapping that was only used towards STUN, which takes
///   an EI filter there. It shows the sender's port, and the check in return has to pass the sender's own filter: EI or
///   AD. And one of both mappings must stay as it is when the answer goes to a new port: two APD mappings chase each
///   other for ever.
const DIRECT: [&str; SIDES] = [
    //       open EI/*  AD/*  APD/*     by filtering EI, AD, APD
    /* open    */ "D DDD DDD DDD",
    /* EI/EI   */ "D DDD DDD DDD",
    /* EI/AD   */ "D DDD DDD DDD",
    /* EI/APD  */ "D DDD ... ...",
    /* AD/EI   */ "D DD. DD. DD.",
    /* AD/AD   */ "D DD. D.. D..",
    /* AD/APD  */ "D DD. ... ...",
    /* APD/EI  */ "D DD. DD. ...",
    /* APD/AD  */ "D DD. D.. ...",
    /* APD/APD */ "D DD. ... ...",
];

/// Returns the table's answer for the hosts `a` and `b` of `plan`, if the table covers such a network: each is open or
/// behind its own single NAT that lets UDP through, there are no firewalls, and there is a STUN or TURN server.
pub fn written(plan: &Plan, a: &str, b: &str) -> Option<Reach> {
    let (a, b) = (plan.topology.host(a)?, plan.topology.host(b)?);
    let together = a.nat.is_some() && a.nat == b.nat;
    if together || plan.ice_servers.is_empty() {
        return None;
    }
    let (row, column) = (side(plan, a)?, side(plan, b)?);
    let cell = DIRECT[row].bytes().filter(|c| *c != b' ').nth(column);
    Some(match cell {
        Some(b'D') => Reach::Direct,
        _ if plan.ice_servers.iter().any(|s| s.turn) => Reach::Relay,
        _ => Reach::Impossible,
    })
}

/// Returns the row of the NAT that `host` is behind.
fn side(plan: &Plan, host: &HostSpec) -> Option<usize> {
    if host.firewall.is_some() {
        return None;
    }
    let Some(name) = &host.nat else { return Some(0) };
    let nat = plan.topology.nats.iter().find(|n| n.name == *name)?;
    if nat.behind.is_some() || nat.spec.blocks_udp {
        return None;
    }
    let mapping = match nat.spec.mapping {
        Mapping::EndpointIndependent => 0,
        Mapping::AddressDependent => 1,
        Mapping::AddressAndPortDependent => 2,
    };
    let filtering = match nat.spec.filtering {
        Filtering::EndpointIndependent => 0,
        Filtering::AddressDependent => 1,
        Filtering::AddressAndPortDependent => 2,
    };
    Some(1 + 3 * mapping + filtering)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{firewall::FirewallSpec, link::LinkProfile, nat::NatSpec, topology::Topology},
        reach::expected,
        servers::IceServerSpec,
    };

    const MAPPINGS: [Mapping; 3] = [
        Mapping::EndpointIndependent,
        Mapping::AddressDependent,
        Mapping::AddressAndPortDependent,
    ];
    const FILTERINGS: [Filtering; 3] = [
        Filtering::EndpointIndependent,
        Filtering::AddressDependent,
        Filtering::AddressAndPortDependent,
    ];

    fn nat(side: usize) -> Option<NatSpec> {
        let side = side.checked_sub(1)?;
        Some(NatSpec::of(MAPPINGS[side / 3], FILTERINGS[side % 3]))
    }

    /// Returns a network with alice behind the NAT of `row` and bob behind that of `column`, after `change` was applied
    /// to each NAT.
    fn network(row: usize, column: usize, turn: bool, change: impl Fn(&mut NatSpec)) -> Plan {
        let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
        let mut topology = Topology::new([
            host("alice", "10.1.0.1"),
            host("bob", "10.2.0.1"),
            host("server", "192.0.2.80"),
            host("relay", "192.0.2.34"),
        ]);
        for (i, (side, external)) in [(row, "203.0.113.1"), (column, "198.51.100.1")]
            .into_iter()
            .enumerate()
        {
            let Some(mut spec) = nat(side) else { continue };
            change(&mut spec);
            let name = format!("nat {i}");
            topology = topology.with_nat(&name, external, spec);
            topology.hosts[i].nat = Some(name);
        }
        Plan {
            ice_servers: vec![IceServerSpec {
                host: "relay".into(),
                turn,
            }],
            ..Plan::new(topology)
        }
    }

    /// Counts the cells in which NATs after `change` give another result than the table.
    fn off(turn: bool, change: impl Fn(&mut NatSpec) + Copy) -> usize {
        let cells = (0..SIDES).flat_map(|row| (0..SIDES).map(move |column| (row, column)));
        cells
            .filter(|&(row, column)| {
                let should = written(&network(row, column, turn, |_| {}), "alice", "bob");
                Some(expected(&network(row, column, turn, change), "alice", "bob")) != should
            })
            .count()
    }

    #[test]
    fn the_table_is_square_and_the_same_seen_from_both_sides() {
        let cells: Vec<Vec<u8>> = DIRECT
            .iter()
            .map(|row| row.bytes().filter(|c| *c != b' ').collect())
            .collect();
        for (i, row) in cells.iter().enumerate() {
            assert_eq!(row.len(), SIDES);
            for (j, cell) in row.iter().enumerate() {
                assert_eq!(*cell, cells[j][i], "{i} to {j}");
            }
        }
    }

    #[test]
    fn the_nats_do_what_the_table_says() {
        assert_eq!([off(false, |_| {}), off(true, |_| {})], [0, 0]);
    }

    #[test]
    fn a_nat_rule_that_is_switched_off_shows() {
        for turn in [false, true] {
            for filtering in FILTERINGS {
                assert!(
                    off(turn, |spec| spec.filtering = filtering) > 0,
                    "all filter {filtering:?}"
                );
            }
            for mapping in MAPPINGS {
                assert!(
                    off(turn, |spec| spec.mapping = mapping) > 0,
                    "all map {mapping:?}"
                );
            }
            assert!(off(turn, |spec| spec.blocks_udp = true) > 0);
        }
    }

    #[test]
    fn it_is_silent_on_networks_that_it_does_not_speak_of() {
        let plan = network(1, 4, false, |_| {});
        assert_eq!(written(&plan, "alice", "bob"), Some(Reach::Direct));
        assert_eq!(written(&plan, "alice", "carol"), None);
        let walled = |change: fn(&mut Plan)| {
            let mut plan = plan.clone();
            change(&mut plan);
            written(&plan, "alice", "bob")
        };
        assert_eq!(walled(|p| p.topology.nats[0].spec.blocks_udp = true), None);
        assert_eq!(walled(|p| p.topology.nats[0].behind = Some("nat 1".into())), None);
        assert_eq!(walled(|p| p.topology.hosts[0].nat = Some("nat 1".into())), None);
        assert_eq!(walled(|p| p.ice_servers.clear()), None);
        assert_eq!(
            walled(|p| p.topology.hosts[1].firewall = Some(FirewallSpec::STRICT)),
            None
        );
    }
}
