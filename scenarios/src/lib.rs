//! The call clients under test and the catalogue of scenarios.
//!
//! - [`client`]: the calling app, with policies and mistakes as switches
//! - [`network`]: the networks of the stories
//! - [`candidates`], [`calls`], [`chaos`], [`states`], [`findings`], [`nat`], [`teardown`], [`dark`], [`nomination`],
//!   [`recovery`], [`mobility`], [`servers`], [`bindings`], [`presets`], [`hostile`], [`exhaustive`], [`sweeps`], [`lost`], [`consent`],
//!   [`learned`], [`wire`], [`scale`], [`selftest`]: one family of scenarios each
//!
//! A scenario reads as a story: the hosts, the network, the acts of users, and what must hold.

pub mod bindings;
pub mod calls;
pub mod candidates;
pub mod chaos;
pub mod client;
pub mod consent;
pub mod dark;
mod defects;
pub mod exhaustive;
pub mod findings;
mod fixture;
pub mod hostile;
pub mod learned;
pub mod lost;
pub mod mobility;
pub mod nat;
pub mod network;
pub mod nomination;
mod patience;
pub mod presets;
pub mod recovery;
pub mod scale;
pub mod selftest;
pub mod servers;
pub mod states;
pub mod sweeps;
pub mod teardown;
pub mod wire;

use std::sync::Arc;

use sleet::scenario::Scenario;

/// Returns every scenario, hidden ones included, in the order in which they are listed.
pub fn catalogue() -> Vec<Arc<Scenario>> {
    let mut all = candidates::family();
    all.extend(calls::family());
    all.extend(chaos::family());
    all.extend(states::family());
    all.extend(nat::family());
    all.extend(teardown::family());
    all.extend(dark::family());
    all.extend(nomination::family());
    all.extend(recovery::family());
    all.extend(mobility::family());
    all.extend(servers::family());
    all.extend(bindings::family());
    all.extend(presets::family());
    all.extend(hostile::family());
    all.extend(exhaustive::family());
    all.extend(sweeps::family());
    all.extend(findings::family());
    all.extend(consent::family());
    all.extend(learned::family());
    all.extend(lost::family());
    all.extend(wire::family());
    all.extend(scale::family());
    all.extend(selftest::family());
    all.into_iter().map(Arc::new).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sleet::{
        oracle::{self, runs},
        scenario::Kind,
        seed::Seed,
    };

    use super::*;

    #[test]
    fn names_are_unique_and_every_scenario_says_what_it_is_about() {
        let mut names = BTreeSet::new();
        for scenario in catalogue() {
            assert!(names.insert(scenario.name.clone()), "{} twice", scenario.name);
            assert!(
                scenario.summary.ends_with('.') && !scenario.sources.is_empty(),
                "{}",
                scenario.name
            );
            let names_an_oracle = matches!(scenario.kind, Kind::Demonstration | Kind::Finding);
            assert!(
                scenario.trips().is_some() || !names_an_oracle,
                "{} must name an oracle",
                scenario.name
            );
        }
    }

    #[test]
    fn every_oracle_is_tripped_by_something_in_the_catalogue() {
        let tripped: BTreeSet<&str> = catalogue().iter().filter_map(|s| s.trips()).collect();
        for oracle in oracle::ALL {
            assert!(
                tripped.contains(oracle.id),
                "nothing trips {}: {}",
                oracle.id,
                oracle.meaning
            );
        }
        assert!(tripped.contains(runs::RUN_01_NO_PANIC.id));
    }

    #[test]
    fn plans_are_drawn_from_the_seed_alone_and_are_valid() {
        for scenario in catalogue() {
            for seed in (0..20).map(Seed) {
                let plan = scenario.draw(seed);
                assert_eq!(plan, scenario.draw(seed), "{}@{seed}", scenario.name);
                assert_eq!(plan.check(), Ok(()), "{}@{seed}", scenario.name);
            }
        }
    }
}
