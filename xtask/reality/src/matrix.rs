//! The NAT matrix, cell by cell: every kind of NAT of RFC 4787 at the caller against every one at the callee, with STUN alone.
//!
//! Where Linux has the kind, Linux does it; the others are done on the wire.

use std::fmt::Write as _;

use sleet::net::{
    firewall::Filtering,
    nat::{Mapping, NatSpec},
};

use crate::{
    cases::{Case, Shape},
    compare::Row,
    nat::Translation,
};

/// What the names of the cells begin with: `matrix/CALLER.CALLEE`.
pub const FAMILY: &str = "matrix/";
/// How long a call may take, from dialing on, in milliseconds: those that connect take a quarter of it.
const BUDGET_MS: u64 = 5_000;

/// Every cell, by rows, but those in which a storm of checks would keep this machine busy for minutes.
pub fn all() -> Vec<Case> {
    let kinds = kinds();
    let pairs = kinds
        .iter()
        .flat_map(|caller| kinds.iter().map(move |callee| (caller, callee)));
    pairs
        .filter(|((caller, _), (callee, _))| !storms(caller, callee))
        .map(|((caller, at_caller), (callee, at_callee))| {
            let shape = Shape {
                gates: [*at_caller, *at_callee],
                slow: Vec::new(),
                budget_ms: BUDGET_MS,
                ..Shape::default()
            };
            Case {
                real: 5,
                simulated: 5,
                side_by_side: 5,
                ..Case::new(
                    format!("{FAMILY}{caller}.{callee}"),
                    "a cell of the NAT matrix",
                    shape,
                )
            }
        })
        .collect()
}

/// Whether the stack storms in a cell (docs/findings/0007-check-storm.md).
fn storms(caller: &str, callee: &str) -> bool {
    matches!(
        (caller, callee),
        ("APD-EI", "APD-EI" | "APD-AD") | ("APD-AD", "APD-EI")
    )
}

/// What a client may be behind, by mapping and filtering: nothing, or each kind of NAT.
fn kinds() -> Vec<(String, Translation)> {
    use {Filtering as F, Mapping as M};
    let mappings = [
        ("EI", M::EndpointIndependent),
        ("AD", M::AddressDependent),
        ("APD", M::AddressAndPortDependent),
    ];
    let filterings = [
        ("EI", F::EndpointIndependent),
        ("AD", F::AddressDependent),
        ("APD", F::AddressAndPortDependent),
    ];
    let mut kinds = vec![("open".to_owned(), Translation::Open)];
    for (of_mapping, mapping) in mappings {
        for (of_filtering, filtering) in filterings {
            let translation = match (mapping, filtering) {
                (M::EndpointIndependent, F::AddressAndPortDependent) => Translation::Masquerade,
                (M::AddressAndPortDependent, F::AddressAndPortDependent) => Translation::FullyRandom,
                _ => Translation::OnTheWire(NatSpec {
                    port_preservation: mapping == M::EndpointIndependent,
                    port_parity: false,
                    hairpinning: false,
                    inbound_refresh: true,
                    ..NatSpec::of(mapping, filtering)
                }),
            };
            kinds.push((format!("{of_mapping}-{of_filtering}"), translation));
        }
    }
    kinds
}

/// The cells among `rows` as a table in Markdown; nothing if there are none.
pub fn grid(rows: &[Row]) -> Option<String> {
    let kinds = kinds();
    let cell = |caller: &str, callee: &str| {
        let name = format!("{FAMILY}{caller}.{callee}");
        let row = rows.iter().find(|row| row.case == name)?;
        let [real, simulated] =
            [row.real.share(), row.simulated.share()].map(|s| format!("{}/{}", s.hits, s.of));
        Some(match row.disagreements().is_empty() {
            true => real,
            false => format!("**{real} real, {simulated} simulated**"),
        })
    };
    let cells = rows.iter().filter(|row| row.case.starts_with(FAMILY));
    let agree = cells.clone().filter(|row| row.disagreements().is_empty());
    let mut out = match cells.clone().count() {
        0 => return None,
        all => format!("{} of {all} cells agree.\n\n| caller |", agree.count()),
    };
    for (callee, _) in &kinds {
        let _ = write!(out, " {callee} |");
    }
    let _ = write!(out, "\n|---|{}", "---:|".repeat(kinds.len()));
    for (caller, _) in &kinds {
        let _ = write!(out, "\n| {caller} |");
        for (callee, _) in &kinds {
            let shown = match storms(caller, callee) {
                true => Some("storm".to_owned()),
                false => cell(caller, callee),
            };
            let _ = write!(out, " {} |", shown.unwrap_or_default());
        }
    }
    out.push('\n');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_meets_every_kind_but_where_they_storm() {
        let cells = all();
        assert_eq!(cells.len(), 100 - 3);
        let on_the_wire = |case: &&Case| {
            let gates = case.shape.gates.iter();
            gates.filter(|g| matches!(g, Translation::OnTheWire(_))).count() > 0
        };
        assert_eq!(
            cells.iter().filter(on_the_wire).count(),
            97 - 3 * 3,
            "Linux has two kinds, and none"
        );
    }

    #[test]
    fn a_cell_shows_what_happened_for_real_and_both_where_they_disagree() {
        let sample = |well| {
            let mut sample = crate::compare::Sample::default();
            (0..5).for_each(|n| sample.add(n < well, None, None));
            sample
        };
        let row = |case: &str, real, simulated| Row {
            case: case.to_owned(),
            about: String::new(),
            real: sample(real),
            simulated: sample(simulated),
            captures: Vec::new(),
        };
        let rows = [row("matrix/open.open", 5, 5), row("matrix/open.EI-EI", 0, 5)];
        let grid = grid(&rows).expect("cells");
        assert!(
            grid.starts_with("1 of 2 cells agree.\n\n| caller | open | EI-EI |"),
            "{grid}"
        );
        assert!(
            grid.contains("\n| open | 5/5 | **0/5 real, 5/5 simulated** |  |"),
            "{grid}"
        );
        assert_eq!(super::grid(&[row("nat/open", 5, 5)]), None);
    }
}
